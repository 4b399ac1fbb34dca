// instance.c - a hash table of actors. The one that was found last is looked at first.

#include "instance.h"

#include <stdlib.h>
#include <string.h>

static uint32_t bucket_of(const instances_t *self, mob_ref_t actor)
{
    return (uint32_t)((actor.owner ^ actor.seq) * 0x9e3779b97f4a7c15u >> 32) & self->mask;
}

static bool grow(instances_t *self)
{
    uint32_t size = self->buckets ? 2 * (self->mask + 1) : 4;
    instance_t **old = self->buckets;
    uint32_t old_size = old ? self->mask + 1 : 0;
    instance_t **buckets = calloc(size, sizeof *buckets);
    if (!buckets)
        return false;
    self->buckets = buckets;
    self->mask = size - 1;
    for (uint32_t i = 0; i < old_size; i++) {
        for (instance_t *instance = old[i], *next; instance; instance = next) {
            next = instance->next;
            instance_t **bucket = &buckets[bucket_of(self, instance->actor)];
            instance->next = *bucket;
            *bucket = instance;
        }
    }
    free(old);
    return true;
}

static void instance_free(instance_t *self)
{
    blob_drop(&self->args);
    free(self->opts);
    free(self->state);
    free(self);
}

static bool fill(instance_t *self, const hand_t *making)
{
    const pack_t *pack = &making->pack;
    self->opts_size = (uint32_t)(pack->size - making->opts_at);
    self->opts = malloc(self->opts_size + 1);
    self->args = load_keep(making->args);
    self->state = calloc(1, self->cls->state_size + 1);
    if (!self->opts || !self->args || !self->state)
        return false;
    if (self->opts_size)
        memcpy(self->opts, pack->data + making->opts_at, self->opts_size);
    return true;
}

instance_t *instance_add(instances_t *self, const hand_t *making, const offer_def_t *cls)
{
    if ((!self->buckets || self->count > self->mask) && !grow(self))
        return NULL;
    instance_t *instance = calloc(1, sizeof *instance);
    if (!instance)
        return NULL;
    instance->actor = making->actor;
    instance->incarnation = making->incarnation;
    instance->cls = cls;
    if (!fill(instance, making)) {
        instance_free(instance);
        return NULL;
    }
    instance_t **bucket = &self->buckets[bucket_of(self, instance->actor)];
    instance->next = *bucket;
    *bucket = instance;
    self->count++;
    return instance;
}

instance_t *instance_find(instances_t *self, mob_ref_t actor)
{
    if (self->last && mob_same(self->last->actor, actor))
        return self->last;
    instance_t *instance = self->buckets ? self->buckets[bucket_of(self, actor)] : NULL;
    while (instance && !mob_same(instance->actor, actor))
        instance = instance->next;
    if (instance)
        self->last = instance;
    return instance;
}

void instance_remove(instances_t *self, instance_t **instance_p)
{
    instance_t *instance = *instance_p;
    instance_t **link = &self->buckets[bucket_of(self, instance->actor)];
    while (*link != instance)
        link = &(*link)->next;
    *link = instance->next;
    if (self->last == instance)
        self->last = NULL;
    self->count--;
    instance_free(instance);
    *instance_p = NULL;
}

instance_t *instance_next(const instances_t *self, instance_t *at, uint32_t *bucket)
{
    if (at && at->next)
        return at->next;
    while (self->buckets && *bucket <= self->mask) {
        instance_t *instance = self->buckets[(*bucket)++];
        if (instance)
            return instance;
    }
    return NULL;
}

instance_t *instance_any(const instances_t *self)
{
    uint32_t bucket = 0;
    return instance_next(self, NULL, &bucket);
}

void instances_fini(instances_t *self)
{
    for (instance_t *instance; (instance = instance_any(self));)
        instance_remove(self, &instance);
    free(self->buckets);
    *self = (instances_t){0};
}

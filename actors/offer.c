// offer.c - definitions, copied and checked. The announcement is encoded once, here; a reconnect
// appends the same bytes again.

#include "offer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "option.h"
#include "session.h"

static mob_err_t refuse(offer_t *self, const char *name, const char *wrong)
{
    snprintf(self->why, sizeof self->why, "%.160s: %s", name, wrong);
    return MOB_EARGS;
}

// ---- Copies -------------------------------------------------------------------------------------

static bool name_body(offer_body_t *self, const offer_def_t *cls)
{
    int word = (int)strcspn(self->signature, " ");
    size_t room = (size_t)word + (cls ? strlen(cls->body.name) : 0) + 2;
    self->name = malloc(room);
    if (!self->name)
        return false;
    if (cls)
        snprintf(self->name, room, "%s.%.*s", cls->body.name, word, self->signature);
    else
        snprintf(self->name, room, "%.*s", word, self->signature);
    return true;
}

static mob_err_t copy_body(offer_body_t *self, const char *signature, const char *usage,
                           mob_invoke_fn *invoke, const offer_def_t *cls)
{
    self->signature = strdup(signature);
    self->usage = strdup(usage ? usage : signature);
    self->invoke = invoke;
    return self->signature && self->usage && name_body(self, cls) ? MOB_OK : MOB_ENOMEM;
}

static mob_err_t copy_methods(offer_t *offer, offer_def_t *self, const mob_method_t *methods)
{
    uint32_t count = 0;
    while (methods[count].name)
        count++;
    self->methods = calloc(count + 1, sizeof *self->methods);
    if (!self->methods)
        return MOB_ENOMEM;
    for (uint32_t i = 0; i < count; i++) {
        if (!methods[i].invoke)
            return refuse(offer, methods[i].name, "a method without a function");
        self->method_count++;
        mob_err_t err =
            copy_body(&self->methods[i], methods[i].name, methods[i].usage, methods[i].invoke, self);
        if (err)
            return err;
    }
    return MOB_OK;
}

static mob_err_t check(offer_t *self, const mob_def_t *def)
{
    if (strlen(def->name) > MOB_TEXT_MAX)
        return refuse(self, def->name, "a signature above 4096 bytes");
    if (!def->methods && !def->invoke)
        return refuse(self, def->name, "a task without a function");
    if (offer_find(self, def->name, def->methods != NULL)) {
        refuse(self, def->name, "offered twice");
        return MOB_EEXISTS;
    }
    if (def->actor && def->shared && def->actor->lanes[0].name)
        return refuse(self, def->name, "lanes do not fit a shared class");
    if (def->actor && def->shared && def->actor->max_concurrency > 1)
        return refuse(self, def->name, "max_concurrency above 1 does not fit a shared class");
    return MOB_OK;
}

static mob_err_t copy_def(offer_t *self, const mob_def_t *def, bool shared)
{
    mob_err_t err = check(self, def);
    if (err)
        return err;
    offer_def_t *copy = &self->defs[self->count++];
    copy->is_class = def->methods != NULL;
    copy->shared = copy->is_class && (shared || def->shared);
    copy->state_size = def->state_size;
    copy->width = def->actor && def->actor->max_concurrency > 1 ? def->actor->max_concurrency : 1;
    copy->fini = def->fini;
    *(copy->is_class ? &self->classes : &self->tasks) += 1;
    err = copy_body(&copy->body, def->name, def->usage, def->invoke, NULL);
    if (!err && copy->is_class)
        err = copy_methods(self, copy, def->methods);
    return err;
}

// ---- The announcement ---------------------------------------------------------------------------

static mob_bytes_t text_of(const char *text)
{
    return (mob_bytes_t){text, strlen(text)};
}

static mob_err_t said_one(offer_t *self, bool written)
{
    if (!written)
        return MOB_ENOMEM;
    self->ends[self->end_count++] = (uint32_t)self->said.pack.size;
    return MOB_OK;
}

// How many refs a call has only its caller can say.
static mob_err_t defaults_of(offer_t *self, const mob_opts_t *from, bool method, opts_t *out)
{
    if (!from)
        return MOB_OK;
    mob_err_t err = option_of_call(from, method, out, self->why, sizeof self->why);
    if (!err && out->num_returns)
        return refuse(self, "num_returns", "a caller's wish, not a definition's");
    return err;
}

static mob_err_t say_methods(offer_t *self, const offer_def_t *def, const mob_opts_t *defaults)
{
    for (uint32_t i = 0; i < def->method_count; i++) {
        opts_t opts = {0};
        mob_err_t err = defaults_of(self, defaults ? &defaults[i] : NULL, true, &opts);
        if (err)
            return err;
        msg_method_t method = {.name = text_of(def->methods[i].signature),
                               .usage = text_of(def->methods[i].usage),
                               .opts = {.set = &opts}};
        err = said_one(self, message_METHOD(&self->said, &method));
        if (err)
            return err;
    }
    return MOB_OK;
}

static mob_err_t say_def(offer_t *self, offer_def_t *def, const mob_def_t *from)
{
    opts_t opts = {0};
    mob_err_t err = MOB_OK;
    if (def->is_class && from->actor)
        err = option_of_actor(from->actor, &opts, self->why, sizeof self->why);
    else if (!def->is_class)
        err = defaults_of(self, from->opts, false, &opts);
    if (err)
        return err;
    def->lanes = strndup(opts.lanes.size ? opts.lanes.data : "", opts.lanes.size);
    if (!def->lanes)
        return MOB_ENOMEM;
    opts.shared = def->shared;
    msg_offer_t offer = {.name = text_of(def->body.signature),
                         .usage = text_of(def->body.usage),
                         .kind = def->is_class ? DEF_CLASS : DEF_TASK,
                         .opts = {.set = &opts}};
    err = said_one(self, message_OFFER(&self->said, &offer));
    return err || !def->is_class ? err : say_methods(self, def, from->opts);
}

void offer_announce(const offer_t *self, mob_t *session)
{
    uint32_t from = 0;
    for (uint32_t i = 0; i < self->end_count; i++) {
        batch_t *batch = session_out(session);
        pack_raw(&batch->pack, self->said.pack.data + from, self->ends[i] - from);
        batch->count++;
        from = self->ends[i];
    }
}

// ---- Life ---------------------------------------------------------------------------------------

static mob_err_t fill(offer_t *self, const mob_def_t *defs, bool shared)
{
    uint32_t count = 0, envelopes = 0;
    for (; defs[count].name; count++) {
        const mob_method_t *methods = defs[count].methods;
        for (envelopes++; methods && methods->name; methods++)
            envelopes++;
    }
    self->defs = calloc(count + 1, sizeof *self->defs);
    self->ends = calloc(envelopes + 1, sizeof *self->ends);
    if (!self->defs || !self->ends)
        return MOB_ENOMEM;
    mob_err_t err = MOB_OK;
    for (uint32_t i = 0; i < count && !err; i++) {
        err = copy_def(self, &defs[i], shared);
        if (!err)
            err = say_def(self, &self->defs[i], &defs[i]);
    }
    return err;
}

offer_t *offer_new(const mob_def_t *defs, bool shared, mob_err_t *err)
{
    offer_t *self = calloc(1, sizeof *self);
    if (!self)
        return NULL;
    atomic_init(&self->holders, 1);
    *err = fill(self, defs, shared);
    return self;
}

offer_t *offer_hold(offer_t *self)
{
    atomic_fetch_add_explicit(&self->holders, 1, memory_order_relaxed);
    return self;
}

static void body_fini(offer_body_t *self)
{
    free(self->signature);
    free(self->usage);
    free(self->name);
}

void offer_drop(offer_t **self_p)
{
    offer_t *self = *self_p;
    *self_p = NULL;
    // Acquire and release: whoever frees sees all that the others did with it.
    if (!self || atomic_fetch_sub_explicit(&self->holders, 1, memory_order_acq_rel) > 1)
        return;
    for (uint32_t i = 0; i < self->count; i++) {
        offer_def_t *def = &self->defs[i];
        body_fini(&def->body);
        for (uint32_t k = 0; k < def->method_count; k++)
            body_fini(&def->methods[k]);
        free(def->methods);
        free(def->lanes);
    }
    free(self->defs);
    free(self->ends);
    batch_fini(&self->said);
    free(self);
}

const offer_def_t *offer_find(const offer_t *self, const char *signature, bool is_class)
{
    for (uint32_t i = 0; i < self->count; i++) {
        const offer_def_t *def = &self->defs[i];
        if (def->is_class == is_class && strcmp(def->body.signature, signature) == 0)
            return def;
    }
    return NULL;
}

const offer_body_t *offer_method(const offer_def_t *cls, const char *signature)
{
    for (uint32_t i = 0; i < cls->method_count; i++)
        if (strcmp(cls->methods[i].signature, signature) == 0)
            return &cls->methods[i];
    return NULL;
}

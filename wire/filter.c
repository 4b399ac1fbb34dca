// filter.c - parses and runs filters. Owns no memory; looks at records through a getter alone.

#include "filter.h"

#include <string.h>

#include "unit.h"

enum filter_op {
    OP_IS,
    OP_NOT,
    OP_GLOB,
    OP_REGEX,
    OP_LESS,
    OP_AT_MOST,
    OP_MORE,
    OP_AT_LEAST,
    OP_HAS
};

// One word of code: what to do in the high bits, an index or a distance in the low ones.
enum {
    CODE_TEST = 0 << 12,
    CODE_INVERT = 1 << 12,
    CODE_AND = 2 << 12,
    CODE_OR = 3 << 12,
    CODE_IF_NO = 4 << 12,
    CODE_IF_YES = 5 << 12,
    CODE_WHAT = 15 << 12,
    CODE_LOW = 0xfff
};

static const struct {
    const char *name;
    char type;
} keys[] = {
#define K(name, type) {#name, (#type)[0]},
    FILTER_KEYS(K)
#undef K
        {"side", 'T'},
    {"word", 'T'},
};

const char *filter_key_name(filter_key_t key)
{
    return key < FILTER_KEY_MAX ? keys[key].name : "?";
}

bool filter_key_of(const char *text, size_t size, filter_key_t *key)
{
    static const struct {
        const char *name;
        filter_key_t key;
    } others[] = {{"from", FILTER_KEY_src}, {"to", FILTER_KEY_dst}};
    for (size_t i = 0; i < FILTER_KEY_word; i++)
        if (strlen(keys[i].name) == size && memcmp(keys[i].name, text, size) == 0) {
            *key = (filter_key_t)i;
            return true;
        }
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        if (strlen(others[i].name) == size && memcmp(others[i].name, text, size) == 0) {
            *key = others[i].key;
            return true;
        }
    return false;
}

// ---- Comparing ----------------------------------------------------------------------------------

static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c + 32) : c;
}

static bool same_text(const char *a, size_t a_size, const char *b, size_t b_size)
{
    if (a_size != b_size)
        return false;
    for (size_t i = 0; i < a_size; i++)
        if (lower(a[i]) != lower(b[i]))
            return false;
    return true;
}

static bool has_text(const char *text, size_t size, const char *part, size_t part_size)
{
    for (size_t at = 0; at + part_size <= size; at++)
        if (same_text(text + at, part_size, part, part_size))
            return true;
    return false;
}

// Remembers the last star alone: what an earlier one took can stay as short as it was.
bool filter_glob(const char *pattern, size_t pattern_size, const char *text, size_t size)
{
    size_t p = 0, t = 0, star = SIZE_MAX, from = 0;
    while (t < size) {
        if (p < pattern_size && pattern[p] == '*')
            star = p++, from = t;
        else if (p < pattern_size && (pattern[p] == '?' || lower(pattern[p]) == lower(text[t])))
            p++, t++;
        else if (star != SIZE_MAX)
            p = star + 1, t = ++from;
        else
            return false;
    }
    while (p < pattern_size && pattern[p] == '*')
        p++;
    return p == pattern_size;
}

// ---- Parsing: by descent, into postfix ----------------------------------------------------------

typedef struct parser {
    const char *text, *next;
    filter_t *out;
    unsigned depth;
    bool failed;
    unsigned column;
} parser_t;

static void parse_or(parser_t *self);

static void fail_at(parser_t *self, const char *where, const char *wrong)
{
    if (self->failed)
        return;
    self->failed = true;
    self->out->wrong = wrong;
    self->column = (unsigned)(where - self->text) + 1;
}

static size_t emit(parser_t *self, unsigned code)
{
    if (self->out->code_size == FILTER_CODE_MAX) {
        fail_at(self, self->next, "the filter is too long");
        return 0;
    }
    self->out->code[self->out->code_size] = (uint16_t)code;
    return self->out->code_size++;
}

static void skip_space(parser_t *self)
{
    while (*self->next == ' ' || *self->next == '\t' || *self->next == '\n')
        self->next++;
}

static bool is_bare(char c)
{
    return c != '\0' && !strchr(" \t\n(),\"", c);
}

// and, or, not: only as words of their own.
static bool take_word(parser_t *self, const char *word)
{
    skip_space(self);
    size_t size = strlen(word);
    if (strncmp(self->next, word, size) != 0 || is_bare(self->next[size]))
        return false;
    self->next += size;
    return true;
}

static bool at_word(parser_t *self, const char *word)
{
    const char *before = self->next;
    bool there = take_word(self, word);
    self->next = before;
    return there;
}

static char *keep_text(parser_t *self, const char *where, size_t size)
{
    filter_t *out = self->out;
    if (out->text_size + size + 1 > FILTER_TEXT_MAX) {
        fail_at(self, where, "the filter is too long");
        return NULL;
    }
    char *at = out->text + out->text_size;
    memcpy(at, where, size);
    at[size] = '\0';
    out->text_size = (uint16_t)(out->text_size + size + 1);
    return at;
}

static const char *const wants[] = {
    ['D'] = "a duration is expected here, like 10ms or 1.5s",
    ['B'] = "a size is expected here, like 4096 or 64KiB",
    ['N'] = "a number is expected here",
};

static void read_number(parser_t *self, const char *where, filter_literal_t *value, char type)
{
    const char *text = self->out->text + value->at;
    value->is_number = type == 'D' ? unit_read_duration(text, value->size, &value->number)
                                   : unit_read_size(text, value->size, &value->number);
    if (!value->is_number && type != 'T' && type != 'S')
        fail_at(self, where, wants[(unsigned char)type]);
}

static void parse_value(parser_t *self, filter_term_t *term)
{
    filter_t *out = self->out;
    skip_space(self);
    const char *where = self->next, *start = where;
    size_t size = 0;
    if (*where == '"') {
        start++;
        const char *end = strchr(start, '"');
        if (!end) {
            fail_at(self, where, "the quote is not closed");
            return;
        }
        size = (size_t)(end - start);
        self->next = end + 1;
    } else {
        while (is_bare(*self->next))
            self->next++;
        size = (size_t)(self->next - start);
        if (size == 0) {
            fail_at(self, where, "a value is expected here");
            return;
        }
    }
    if (out->value_count == FILTER_VALUES_MAX) {
        fail_at(self, where, "the filter has too many values");
        return;
    }
    const char *kept = keep_text(self, start, size);
    if (!kept)
        return;
    filter_literal_t *value = &out->values[out->value_count++];
    *value = (filter_literal_t){.at = (uint16_t)(kept - out->text), .size = (uint16_t)size};
    term->count++;
    if (term->op != OP_GLOB && term->op != OP_REGEX && term->op != OP_HAS)
        read_number(self, where, value, keys[term->key].type);
}

static bool take_op(parser_t *self, uint8_t *op)
{
    static const struct { // longer ones first
        const char *text;
        enum filter_op op;
    } ops[] = {{"=~", OP_REGEX},    {"!=", OP_NOT}, {"<=", OP_AT_MOST},
               {">=", OP_AT_LEAST}, {"==", OP_IS},  {"=", OP_IS},
               {"~", OP_GLOB},      {"<", OP_LESS}, {">", OP_MORE}};
    for (size_t i = 0; i < sizeof ops / sizeof *ops; i++)
        if (strncmp(self->next, ops[i].text, strlen(ops[i].text)) == 0) {
            self->next += strlen(ops[i].text);
            *op = (uint8_t)ops[i].op;
            return true;
        }
    return false;
}

// True if "key op" stands here; then it is taken.
static bool take_key(parser_t *self, filter_term_t *term)
{
    const char *start = self->next, *end = start;
    while ((*end >= 'a' && *end <= 'z') || (*end >= 'A' && *end <= 'Z') || *end == '_')
        end++;
    self->next = end;
    skip_space(self);
    const char *where = self->next;
    if (end == start || !take_op(self, &term->op)) {
        self->next = start;
        return false;
    }
    filter_key_t key = FILTER_KEY_word;
    if (!filter_key_of(start, (size_t)(end - start), &key))
        fail_at(self, start, "no such key");
    term->key = (uint8_t)key;
    bool orders = term->op >= OP_LESS && term->op <= OP_AT_LEAST;
    if (orders && (keys[key].type == 'T' || keys[key].type == 'S'))
        fail_at(self, where, "this key is text: = != ~ =~ go with it");
    return true;
}

static void parse_term(parser_t *self)
{
    filter_t *out = self->out;
    if (out->term_count == FILTER_TERMS_MAX) {
        fail_at(self, self->next, "the filter has more than 64 terms");
        return;
    }
    if (at_word(self, "and") || at_word(self, "or")) {
        fail_at(self, self->next, "a term is expected here");
        return;
    }
    filter_term_t term = {.key = FILTER_KEY_word, .op = OP_HAS, .first = out->value_count};
    bool listed = take_key(self, &term);
    parse_value(self, &term);
    while (listed && !self->failed && term.op <= OP_GLOB && *self->next == ',') {
        self->next++;
        parse_value(self, &term);
    }
    out->terms[out->term_count] = term;
    emit(self, CODE_TEST | out->term_count++);
}

static void parse_atom(parser_t *self)
{
    skip_space(self);
    if (*self->next != '(') {
        parse_term(self);
        return;
    }
    const char *where = self->next++;
    if (++self->depth > FILTER_DEPTH_MAX) {
        fail_at(self, where, "too many parentheses");
        return;
    }
    parse_or(self);
    self->depth--;
    skip_space(self);
    if (*self->next == ')')
        self->next++;
    else
        fail_at(self, self->next, *self->next ? "and, or, ) is expected here" : "a ) is missing");
}

static void parse_not(parser_t *self)
{
    bool invert = false;
    while (take_word(self, "not"))
        invert = !invert;
    parse_atom(self);
    if (invert)
        emit(self, CODE_INVERT);
}

// A left side that decides skips the right one: the distance is filled in once it is known.
static void parse_pair(parser_t *self, unsigned skip, unsigned join, void (*right)(parser_t *))
{
    size_t at = emit(self, skip);
    right(self);
    emit(self, join);
    if (!self->failed)
        self->out->code[at] = (uint16_t)(skip | (unsigned)(self->out->code_size - at - 1));
}

// Two terms side by side are both wanted, as if "and" stood between them.
static void parse_and(parser_t *self)
{
    parse_not(self);
    while (!self->failed) {
        bool named = take_word(self, "and");
        skip_space(self);
        if (!named && (*self->next == '\0' || *self->next == ')' || at_word(self, "or")))
            return;
        parse_pair(self, CODE_IF_NO, CODE_AND, parse_not);
    }
}

static void parse_or(parser_t *self)
{
    parse_and(self);
    while (!self->failed && take_word(self, "or"))
        parse_pair(self, CODE_IF_YES, CODE_OR, parse_and);
}

bool filter_parse(const char *text, filter_t *out, unsigned *error_column)
{
    memset(out, 0, sizeof *out);
    parser_t self = {.text = text, .next = text, .out = out};
    *error_column = 0;
    if (!text)
        return true;
    skip_space(&self);
    if (*self.next == '\0')
        return true;
    parse_or(&self);
    skip_space(&self);
    if (*self.next != '\0')
        fail_at(&self, self.next, "and, or or the end is expected here");
    *error_column = self.column;
    return !self.failed;
}

// ---- Running ------------------------------------------------------------------------------------

static bool compare_number(int64_t a, enum filter_op op, int64_t b)
{
    switch (op) {
    case OP_LESS:
        return a < b;
    case OP_AT_MOST:
        return a <= b;
    case OP_MORE:
        return a > b;
    case OP_AT_LEAST:
        return a >= b;
    default:
        return a == b;
    }
}

static bool fits(const filter_value_t *value, enum filter_op op, const filter_literal_t *literal,
                 const char *text)
{
    if (value->is_number)
        return literal->is_number && compare_number(value->number, op, literal->number);
    if (!value->text)
        return false;
    if (op == OP_GLOB)
        return filter_glob(text, literal->size, value->text, value->size);
    if (op == OP_HAS)
        return has_text(value->text, value->size, text, literal->size);
    return same_text(value->text, value->size, text, literal->size);
}

// Of one key; != is asked as =, and turned round by the caller.
static filter_verdict_t test_key(const filter_t *self, const filter_term_t *term, filter_key_t key,
                                 filter_get_fn *get, void *arg)
{
    filter_value_t value = get(arg, key);
    const filter_literal_t *literal = &self->values[term->first];
    if (term->op == OP_REGEX) {
        if (!self->regex)
            return FILTER_UNKNOWN;
        return value.text && self->regex(self->regex_arg, (unsigned)(term - self->terms),
                                         self->text + literal->at, value.text, value.size)
                   ? FILTER_YES
                   : FILTER_NO;
    }
    const char *space =
        value.text && keys[key].type == 'S' ? memchr(value.text, ' ', value.size) : NULL;
    filter_value_t head =
        space ? FILTER_TEXT(value.text, (size_t)(space - value.text)) : FILTER_NOTHING;
    for (unsigned i = 0; i < term->count; i++)
        if ((space && fits(&head, (enum filter_op)term->op, literal + i, self->text + literal[i].at)) ||
            fits(&value, (enum filter_op)term->op, literal + i, self->text + literal[i].at))
            return FILTER_YES;
    return FILTER_NO;
}

static filter_verdict_t test(const filter_t *self, const filter_term_t *term, filter_get_fn *get,
                             void *arg)
{
    static const filter_key_t words[] = {FILTER_KEY_src, FILTER_KEY_dst,  FILTER_KEY_method,
                                         FILTER_KEY_id,  FILTER_KEY_name, FILTER_KEY_class};
    filter_key_t own = (filter_key_t)term->key;
    const filter_key_t *asked = &own;
    size_t count = 1;
    if (own == FILTER_KEY_side)
        asked = words, count = 2;
    else if (own == FILTER_KEY_word)
        asked = words, count = sizeof words / sizeof *words;
    filter_verdict_t best = FILTER_NO;
    for (size_t i = 0; i < count && best != FILTER_YES; i++) {
        filter_verdict_t verdict = test_key(self, term, asked[i], get, arg);
        best = verdict > best ? verdict : best;
    }
    return term->op == OP_NOT ? (filter_verdict_t)(FILTER_YES - best) : best;
}

filter_verdict_t filter_match(const filter_t *self, filter_get_fn *get, void *arg)
{
    filter_verdict_t stack[FILTER_TERMS_MAX + 1]; // not cleared: this runs for each record of the broker
    size_t top = 0; // of the value that counts; 0 is the verdict of an empty program
    stack[0] = FILTER_YES;
    for (size_t at = 0; at < self->code_size; at++) {
        unsigned low = self->code[at] & CODE_LOW;
        switch (self->code[at] & CODE_WHAT) {
        case CODE_TEST:
            stack[++top] = test(self, &self->terms[low], get, arg);
            break;
        case CODE_INVERT:
            stack[top] = (filter_verdict_t)(FILTER_YES - stack[top]);
            break;
        case CODE_AND:
            top--;
            stack[top] = stack[top + 1] < stack[top] ? stack[top + 1] : stack[top];
            break;
        case CODE_OR:
            top--;
            stack[top] = stack[top + 1] > stack[top] ? stack[top + 1] : stack[top];
            break;
        case CODE_IF_NO:
            at += stack[top] == FILTER_NO ? low : 0;
            break;
        case CODE_IF_YES:
            at += stack[top] == FILTER_YES ? low : 0;
            break;
        }
    }
    return stack[top];
}

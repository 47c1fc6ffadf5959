/* Replay the reference answers that every model file of lstm-edge carries; part of lstm_edge.h.

   They are JSON as lstm-export writes it: [{"ids": null, "probability": [0.99], "text": "…"}, …]. */
#ifndef LSTM_EDGE_VERIFY_H
#define LSTM_EDGE_VERIFY_H

#include "lstm_edge.h"

/* Write the character `code` as UTF-8; the place behind it. */
static inline char *lstm_edge_utf8(unsigned code, char *to) {
  if (code < 0x80) *to++ = (char)code;
  else if (code < 0x800) *to++ = (char)(0xC0 | code >> 6);
  else if (code < 0x10000) *to++ = (char)(0xE0 | code >> 12);
  else *to++ = (char)(0xF0 | code >> 18);
  for (int shift = code < 0x80 ? -6 : code < 0x800 ? 0 : code < 0x10000 ? 6 : 12; shift >= 0; shift -= 6)
    *to++ = (char)(0x80 | (code >> shift & 0x3F));
  return to;
}

/* The number of the four hexadecimal digits of an escape; -1 where there are fewer. */
static inline long lstm_edge_escape(const char *digits) {
  char four[5] = "";
  if (strspn(digits, "0123456789abcdefABCDEF") < 4) return -1;
  memcpy(four, digits, 4);
  return strtol(four, NULL, 16);
}

/* Read a JSON string that starts behind its quote into `text`; the place behind its end, NULL if it has none. */
static inline const char *lstm_edge_string(const char *json, char *text) {
  static const char names[] = "\"\\/bfnrt", values[] = "\"\\/\b\f\n\r\t";
  for (; *json && *json != '"'; json++) {
    if (*json != '\\') {
      *text++ = *json;
      continue;
    }
    const char *name = strchr(names, *++json);
    if (*json == 'u') {
      long code = lstm_edge_escape(json + 1);
      if (code < 0) return NULL;
      json += 4;
      long low = code >> 10 == 0x36 && json[1] == '\\' && json[2] == 'u' ? lstm_edge_escape(json + 3) : -1;
      if (low >> 10 == 0x37) {
        code = 0x10000 + ((code & 0x3FF) << 10 | (low & 0x3FF));
        json += 6;
      }
      text = lstm_edge_utf8((unsigned)code, text);
    } else if (*json && name) *text++ = values[name - names];
    else return NULL;
  }
  *text = 0;
  return *json ? json + 1 : NULL;
}

/* The JSON number at `*at`, which goes behind it; NaN, and nothing moves, where there is none. Not by strtod,
   which wants the point to be the locale's. */
static inline double lstm_edge_real(const char **at) {
  const char *next = *at + (**at == '-');
  uint64_t digits = 0;
  long exponent = 0;
  int fraction = 0;
  if (*next < '0' || *next > '9') return NAN;
  for (; (*next >= '0' && *next <= '9') || (*next == '.' && !fraction); next++) {
    if (*next == '.') fraction = 1;
    else if (digits >= UINT64_MAX / 100) exponent += !fraction; /* more digits than a double has */
    else {
      digits = 10 * digits + (uint64_t)(*next - '0');
      exponent -= fraction;
    }
  }
  if (*next == 'e' || *next == 'E') {
    char *end;
    const long power = strtol(next + 1, &end, 10);
    if (end == next + 1) return NAN;
    exponent += power > 999 ? 999 : power < -999 ? -999 : power;
    next = end;
  }
  const double value = exponent < 0 ? (double)digits / pow(10, (double)-exponent) : (double)digits * pow(10, (double)exponent);
  const int negative = **at == '-';
  *at = next;
  return negative ? -value : value;
}

/* Score the reference at `*json` and go behind it; the largest difference so far is in `*worst`. */
static inline const char *lstm_edge_replay(lstm_edge *model, const char **json, char *text, double *worst) {
  static const char *const damaged = "the file's reference answers are damaged or not of text";
  float found[LSTM_EDGE_CLASSES];
  double expected[LSTM_EDGE_CLASSES];
  const char *at = strstr(*json, "\"probability\": [");
  if (!at) return damaged;
  at += strlen("\"probability\": [");
  for (size_t n = 0; n < model->classes; n++) {
    if (isnan(expected[n] = lstm_edge_real(&at))) return damaged;
    at += strspn(at, ", ]");
  }
  if (strncmp(at, "\"text\": \"", 9) || !(at = lstm_edge_string(at + 9, text))) return damaged;
  *json = at;
  const char *failed = lstm_edge_score(model, text, strlen(text), found);
  for (size_t n = 0; n < model->classes && !failed; n++) {
    /* Plain numbers may be large, and float has seven digits: above 1, differences are relative. */
    double difference = fabs(found[n] - expected[n]) / fmax(1, fabs(expected[n]));
    if (!(difference <= *worst)) *worst = difference;
    if (isnan(difference)) return "an answer is not a number";
  }
  return failed;
}

/* Replay all of them. `count` and `worst` say how many and the largest difference; it is an error when
   that is more than the export allowed, and when there are none or whatever comes is allowed. */
static inline const char *lstm_edge_verify(lstm_edge *model, int *count, double *worst) {
  char *reference = NULL, *tolerance = NULL;
  if (!model->is_open) return "the model is not open";
  const char *failed = lstm_edge_property(model, "reference", &reference);
  if (!failed) failed = lstm_edge_property(model, "tolerance", &tolerance);
  char *text = failed ? NULL : (char *)malloc(strlen(reference) + 1);
  const char *at = reference;
  *count = 0;
  *worst = 0;
  if (!failed && !text) failed = "no memory left";
  const char *behind = tolerance;
  const double allowed = failed ? 0 : lstm_edge_real(&behind);
  if (!failed && (isnan(allowed) || *behind)) failed = "the model file's metadata is damaged";
  if (!failed && !lstm_edge_proves(allowed)) {
    snprintf(model->error, sizeof model->error, "the file allows a difference of %.99s, which proves nothing", tolerance);
    failed = model->error;
  }
  while (!failed && strstr(at, "\"probability\": [")) {
    failed = lstm_edge_replay(model, &at, text, worst);
    *count += 1;
  }
  if (!failed && !*count) failed = "the file carries no reference answers, so nothing shows that it is right";
  if (!failed && !(*worst <= allowed)) failed = "the model does not answer as the original did";
  free(text);
  if (reference) (void)lstm_edge_check(model, model->ort->AllocatorFree(model->allocator, reference));
  if (tolerance) (void)lstm_edge_check(model, model->ort->AllocatorFree(model->allocator, tolerance));
  return failed;
}

#endif

/* Where the graph of a model file makes ids of a text's words; for C and C++.

   The values there are inside the graph, and no output of it. How much of a text the model knows is told
   by them, so a session is made of the file with two outputs more. The field numbers are those of
   onnx.proto, which never change. */
#ifndef LSTM_EDGE_GRAPH_H
#define LSTM_EDGE_GRAPH_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

enum { LSTM_EDGE_NAME = 100, LSTM_EDGE_MORE = 3 * LSTM_EDGE_NAME };

/* Bytes of a protobuf message, or of a field of it. */
typedef struct {
  const unsigned char *at;
  size_t size;
} lstm_edge_bytes;

/* Names of two values, both [1, matches]; "" in a file that takes ids. */
typedef struct {
  char matches[LSTM_EDGE_NAME]; /* what the pattern matched; "" where it was no token */
  char ids[LSTM_EDGE_NAME];     /* their ids; -1 where there is none */
} lstm_edge_front_end;

/* Take a number off the front. */
static inline uint64_t lstm_edge_take_number(lstm_edge_bytes *left) {
  uint64_t value = 0;
  for (int shift = 0; left->size && shift < 64; shift += 7) {
    unsigned char byte = *left->at++;
    left->size--;
    value |= (uint64_t)(byte & 127) << shift;
    if (byte < 128) break;
  }
  return value;
}

/* Take a field off the front of a message; its number, and 0 when there is none or it is damaged. */
static inline unsigned lstm_edge_take_field(lstm_edge_bytes *left, lstm_edge_bytes *content) {
  if (!left->size) return 0;
  uint64_t key = lstm_edge_take_number(left), size = 0;
  unsigned type = key & 7;
  content->at = left->at;
  if (type == 0) lstm_edge_take_number(left);
  else size = type == 1 ? 8 : type == 5 ? 4 : type == 2 ? lstm_edge_take_number(left) : SIZE_MAX;
  if (size > left->size) return 0;
  if (type) content->at = left->at;
  left->at += size;
  left->size -= (size_t)size;
  content->size = (size_t)(left->at - content->at);
  return (unsigned)(key >> 3);
}

/* The first field of a number; empty when there is none. */
static inline lstm_edge_bytes lstm_edge_first(lstm_edge_bytes message, unsigned number) {
  lstm_edge_bytes content = {NULL, 0};
  for (unsigned found; (found = lstm_edge_take_field(&message, &content));)
    if (found == number) return content;
  content.size = 0;
  return content;
}

static inline void lstm_edge_copy_name(lstm_edge_bytes name, char *to) {
  size_t size = name.size < LSTM_EDGE_NAME ? name.size : 0;
  if (size) memcpy(to, name.at, size);
  to[size] = 0;
}

/* Find them in a file. */
static inline lstm_edge_front_end lstm_edge_find_front_end(lstm_edge_bytes file) {
  lstm_edge_front_end names = {"", ""};
  lstm_edge_bytes graph = lstm_edge_first(file, 7), node;
  for (unsigned number; (number = lstm_edge_take_field(&graph, &node));) {
    lstm_edge_bytes operator_ = lstm_edge_first(node, 4);
    if (number != 1 || operator_.size != 12 || memcmp(operator_.at, "LabelEncoder", 12)) continue;
    lstm_edge_copy_name(lstm_edge_first(node, 1), names.matches);
    lstm_edge_copy_name(lstm_edge_first(node, 2), names.ids);
    if (!names.matches[0]) names.ids[0] = 0;
    break;
  }
  return names;
}

/* Write what makes both outputs of the graph when it stands behind the file, LSTM_EDGE_MORE bytes at
   most: a second part of the graph, which protobuf joins to the first. Its size. */
static inline size_t lstm_edge_more_outputs(const lstm_edge_front_end *names, unsigned char *to) {
  if (!names->ids[0]) return 0;
  const char *const both[] = {names->matches, names->ids};
  unsigned char *at = to + 3;
  for (int n = 0; n < 2; n++) {
    size_t size = strlen(both[n]);
    unsigned char header[] = {12 << 3 | 2, (unsigned char)(size + 2), 1 << 3 | 2, (unsigned char)size};
    memcpy(at, header, 4);
    memcpy(at + 4, both[n], size);
    at += 4 + size;
  }
  size_t size = (size_t)(at - to) - 3;
  to[0] = 7 << 3 | 2;
  to[1] = (unsigned char)(size & 127) | 128; /* in two bytes, however small */
  to[2] = (unsigned char)(size >> 7);
  return size + 3;
}

/* Whether the state's sizes, numbers that a file tells, are some that can be allocated. */
static inline int lstm_edge_allocatable(const int64_t *shape) {
  const int64_t most = 1 << 24;
  return shape[0] >= 0 && shape[2] >= 0 && shape[0] <= most && shape[2] <= most && shape[0] * shape[2] <= most;
}

/* Whether reference answers within a tolerance, a number that a file tells, prove anything: from 0.5 on a label
   may turn without a difference being found. Not of NaN. */
static inline int lstm_edge_proves(double tolerance) { return tolerance < 0.5; }

#endif

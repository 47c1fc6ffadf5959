/* Prints the JSON number that each argument starts with, and what is behind it. */
#include "lstm_edge_verify.h"

int main(int count, char **arguments) {
  for (int n = 1; n < count; n++) {
    const char *at = arguments[n];
    const double value = lstm_edge_real(&at);
    printf("%.17g\t%s\n", value, at);
  }
  return 0;
}

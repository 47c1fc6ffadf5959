// Opens a file in the environment's locale, verifies it, scores and streams: prints what each says.
#include <clocale>
#include <iostream>

#include "sentiment_model.hpp"

template <typename Call>
static void say(const char* name, Call call) {
  std::cout << name << ": ";
  try {
    call();
    std::cout << "ok\n";
  } catch (const std::exception& error) {
    std::cout << error.what() << "\n";
  }
}

int main(int count, char** arguments) {
  if (count < 2) return 2;
  std::setlocale(LC_ALL, "");
  std::cout << "point: " << std::localeconv()->decimal_point << "\n";
  say("open", [&] {
    SentimentModel model(arguments[1]);
    State state;
    say("\nverify", [&] { model.verify(); });
    say("score", [&] { model.score("a good film"); });
    say("new_state", [&] { state = model.new_state(); });
    const std::vector<float> h = state.h, c = state.c;
    say("push", [&] { model.push(state, "a good "); });
    std::cout << "state: " << (state.h == h && state.c == c ? "as it was" : "moved") << "\nopen: ";
  });
}

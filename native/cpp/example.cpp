// Verify a model, answer texts, read one in pieces:
//
//     ORT_DISABLE_TELEMETRY=1 ./example default.int8.onnx "A dull, lifeless mess."
//     ORT_DISABLE_TELEMETRY=1 ./example default.int8.onnx --stream "I wanted to like it, " "but no."
//
// The variable keeps ONNX Runtime 1.29 and newer from reporting to Microsoft; it has to be there
// before the program starts, which loads the library.
#include "sentiment_model.hpp"

#include <iomanip>
#include <iostream>

int main(int count, char** arguments) try {
  if (count < 2) {
    std::cerr << "usage: " << arguments[0] << " MODEL [--stream] TEXT...\n";
    return 2;
  }
  SentimentModel model(arguments[1]);
  const double difference = model.verify();
  std::cerr << "reference answers verified, largest difference " << difference << "\n";

  const bool streamed = count > 2 && arguments[2] == std::string("--stream");
  State state = streamed ? model.new_state() : State();
  auto probability = model.score("");  // what a stream says before its first word
  for (int n = streamed ? 3 : 2; n < count; n++) {
    const auto found = streamed ? model.push(state, arguments[n]) : model.score(arguments[n]);
    if (!found.empty()) probability = found;
    // Of two labels the probability of the second, of more one for each.
    for (const float one : probability) std::cout << std::setprecision(9) << one << "\t";
    std::cout << arguments[n] << "\n";
    if (model.known() == 0) std::cerr << "warning: the model knows no word of: " << arguments[n] << "\n";
  }
} catch (const std::exception& error) {
  std::cerr << "Error: " << error.what() << "\n";
  return 1;
}

// Sentiment of a text from a model file of lstm-edge, with ONNX Runtime's C++ API.
#pragma once

#include <onnxruntime_cxx_api.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <fstream>
#include <iterator>
#include <limits>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "lstm_edge_graph.h"
#include "lstm_edge_text.h"

// What a text that arrives in pieces leaves behind: short-term and long-term memory.
struct State {
  std::vector<float> h, c;
};

class SentimentModel {
 public:
  // Throws Ort::Exception when the file is no model, std::runtime_error when it is missing or takes no text.
  explicit SentimentModel(const std::string& path) : SentimentModel(read(path)) {}

  // One probability per class; one class: that of the second label.
  std::vector<float> score(const std::string& text) { return run(text, nullptr); }

  // The share of the words of the text scored last that the model knows, 0 of none; NaN in a stream.
  double known() const { return known_; }

  // Zeros, from which every text starts. Throws where the file has no states.
  State new_state() const {
    require_states();
    return zeros();
  }

  // Read the next piece, which ends between two words. Empty for a piece without a token, which
  // leaves the state alone, as an exception does.
  std::vector<float> push(State& state, const std::string& piece) {
    require_states();
    return run(piece, &state);
  }

  // A property of the file's metadata.
  nlohmann::json property(const char* name) {
    const auto value = session_.GetModelMetadata().LookupCustomMetadataMapAllocated(name, allocator_);
    if (!value) throw std::runtime_error("not a model file of lstm-export: it carries no lstm-edge metadata");
    return nlohmann::json::parse(value.get());
  }

  // Replay the file's reference answers; the largest difference. Throws when that is too large, and when there are
  // none or whatever comes is allowed.
  double verify() {
    const auto references = property("reference"), tolerance = property("tolerance");
    if (references.empty()) throw std::runtime_error("the file carries no reference answers, so nothing shows that it is right");
    if (!lstm_edge_proves(tolerance.get<double>()))
      throw std::runtime_error("the file allows a difference of " + tolerance.dump() + ", which proves nothing");
    double worst = 0;
    for (const auto& reference : references) {
      const auto found = score(reference.at("text").get<std::string>());
      const auto expected = reference.at("probability").get<std::vector<double>>();
      if (found.size() != expected.size()) throw std::runtime_error(unlike_the_file);
      for (size_t n = 0; n < found.size(); n++) {
        // Plain numbers may be large, and float has seven digits: above 1, differences are relative.
        const double difference = std::abs(found[n] - expected[n]) / std::max(1.0, std::abs(expected[n]));
        if (!(difference <= worst)) worst = difference;
      }
    }
    if (!(worst <= tolerance.get<double>())) throw std::runtime_error("the model does not answer as the original did");
    return worst;
  }

 private:
  static constexpr const char* unlike_the_file = "an output is not what the file says";

  struct File {
    std::string bytes;
  };

  explicit SentimentModel(File file)
      : front_end_(lstm_edge_find_front_end({reinterpret_cast<const unsigned char*>(file.bytes.data()), file.bytes.size()})),
        session_(opened(std::move(file.bytes))),
        memory_(Ort::MemoryInfo::CreateCpu(OrtDeviceAllocator, OrtMemTypeDefault)) {
    const auto sizes = property("architecture");
    bool text = false;
    for (size_t n = 0; n < session_.GetInputCount(); n++)
      text = text || session_.GetInputNameAllocated(n, allocator_).get() == std::string("text");
    if (!text) throw std::runtime_error("the model file takes ids, not text");
    const auto unknown = property("tokenizer").at("unknown");  // a file that takes ids may have no tokenizer
    shape_ = {sizes.at("n_layers"), 1, sizes.at("hidden_dim")};
    if (!lstm_edge_allocatable(shape_.data())) throw std::runtime_error("the model file's metadata is damaged");
    unknown_ = unknown.is_null() ? -1 : unknown.get<int64_t>();
    for (size_t n = 0; n < session_.GetOutputCount(); n++)
      streams_ = streams_ || session_.GetOutputNameAllocated(n, allocator_).get() == std::string("hn");
  }

  void require_states() const {
    if (!streams_) throw std::runtime_error("the model file has no states: it cannot continue a text");
  }

  State zeros() const {
    const std::vector<float> part(static_cast<size_t>(shape_[0] * shape_[2]));
    return {part, part};
  }

  static File read(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    if (!file) throw std::runtime_error(path + " cannot be opened");
    return {std::string(std::istreambuf_iterator<char>(file), {})};
  }

  // A session of the file, with the outputs that tell how much of a text is known.
  Ort::Session opened(std::string file) {
    unsigned char more[LSTM_EDGE_MORE];
    file.append(reinterpret_cast<char*>(more), lstm_edge_more_outputs(&front_end_, more));
    return Ort::Session(environment_, file.data(), file.size(), options());
  }

  // A guest's settings: one thread, bounded memory, silence, the graph as it was written.
  static Ort::SessionOptions options() {
    Ort::SessionOptions chosen;
    chosen.SetIntraOpNumThreads(1).SetGraphOptimizationLevel(ORT_DISABLE_ALL);
    chosen.DisableCpuMemArena().DisableMemPattern().SetLogSeverityLevel(ORT_LOGGING_LEVEL_FATAL);
    return chosen;
  }

  std::vector<float> run(const std::string& text, State* state) {
    std::string clean(3 * text.size() + 1, '\0');
    lstm_edge_replace_unportable(text.data(), text.size(), clean.data());
    const std::array<const char*, 1> texts = {clean.c_str()};
    const std::array<int64_t, 1> one = {1};
    std::vector<Ort::Value> feeds;
    feeds.push_back(
        Ort::Value::CreateTensor(allocator_, one.data(), one.size(), ONNX_TENSOR_ELEMENT_DATA_TYPE_STRING));
    feeds[0].FillStringTensor(texts.data(), texts.size());
    State fresh;
    State* start = state;
    if (!start && session_.GetInputCount() > 1) *(start = &fresh) = zeros();
    if (start)
      for (auto* part : {&start->h, &start->c})
        feeds.push_back(Ort::Value::CreateTensor<float>(memory_, part->data(), part->size(), shape_.data(), shape_.size()));
    const char *in[] = {"text", "h0", "c0"}, *in_a_stream[] = {"probability", "tokens", "hn", "cn"};
    const char* alone[] = {"probability", front_end_.ids, front_end_.matches};
    auto answers = session_.Run(Ort::RunOptions{}, in, feeds.data(), feeds.size(), state ? in_a_stream : alone, state ? 4 : 3);
    known_ = state ? std::numeric_limits<double>::quiet_NaN() : share(answers[1], answers[2]);
    if (state && !answers[1].GetStringTensorElementLength(0)) return {};
    const auto found = numbers<float>(answers[0]);
    for (const float value : found)
      if (!std::isfinite(value)) throw std::runtime_error("an answer is not a number");
    if (state) {
      State next = {numbers<float>(answers[2]), numbers<float>(answers[3])};
      if (next.h.size() != state->h.size() || next.c.size() != state->c.size()) throw std::runtime_error(unlike_the_file);
      *state = std::move(next);
    }
    return found;
  }

  // The numbers of an output, whose type is this, whatever the file says of itself.
  template <typename Number>
  static std::vector<Number> numbers(const Ort::Value& output) {
    const auto shape = output.GetTensorTypeAndShapeInfo();
    if (shape.GetElementType() != Ort::TypeToTensorType<Number>::type) throw std::runtime_error(unlike_the_file);
    const Number* values = output.GetTensorData<Number>();
    return {values, values + shape.GetElementCount()};
  }

  // The share of words with an id; what is dropped has an id like padding, but letters.
  double share(const Ort::Value& ids, const Ort::Value& matches) const {
    const auto values = numbers<int64_t>(ids);
    size_t known = 0, words = 0;
    for (size_t n = 0; n < values.size(); n++) {
      known += values[n] >= 0 && values[n] != unknown_;
      words += matches.GetStringTensorElementLength(n) > 0;
    }
    return double(known) / double(std::max<size_t>(words, 1));
  }

  Ort::Env environment_{ORT_LOGGING_LEVEL_FATAL, "lstm-edge"};
  lstm_edge_front_end front_end_;
  Ort::Session session_;
  Ort::AllocatorWithDefaultOptions allocator_;
  Ort::MemoryInfo memory_;
  std::array<int64_t, 3> shape_{};
  int64_t unknown_ = -1;
  bool streams_ = false;
  double known_ = 0;
};

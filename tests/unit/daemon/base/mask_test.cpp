#include "daemon/base/mask.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>

#include "proto/base64.h"

namespace ingot::base {
namespace {

std::string shown(const std::string& secret, const std::string& text) {
  return Mask({secret}).apply(text);
}

std::string base64(const std::string& text) {
  return proto::base64_encode(text);
}

TEST(Mask, hides_a_value_wherever_it_stands) {
  EXPECT_EQ(shown("s3cr3t", "a s3cr3t, s3cr3ts3cr3t; s3cr3"), "a ***, ***; s3cr3");
  EXPECT_EQ(shown("aba!", "abaaba!ba!"), "aba***ba!");
  EXPECT_EQ(shown("aaaa", "baaaaaab"), "b***b") << "overlapping ones are one";
  EXPECT_EQ(Mask({"abcd", "cdef", "xyz0"}).apply("abcdef xyz0"), "*** ***");
  EXPECT_EQ(Mask({"longer value", "value"}).apply("a longer value, a value"), "a ***, a ***");
  EXPECT_EQ(shown("s3cr3t\n", "s3cr3t."), "***.") << "a file's last line break is none of it";
  EXPECT_EQ(shown("two words", "two words, two+words, two%20words"), "***, ***, ***");
  EXPECT_EQ(shown("quo\"te\\d", R"({"x":"quo\"te\\d"})"), R"({"x":"***"})");
}

TEST(Mask, what_is_too_short_is_left_alone) {
  EXPECT_TRUE(Mask({"abc", "", " a\n"}).empty());
  EXPECT_FALSE(Mask::hides("abc\n"));
  EXPECT_TRUE(Mask::hides("abcd"));
  EXPECT_EQ(shown("abc", "abc"), "abc");
}

TEST(Mask, hides_the_lines_of_a_value_each) {
  const std::string key = "-----BEGIN KEY-----\nMIIEowIBAAKCAQ\nx\nZZZZZZZZZZ\n-----END KEY-----\n";
  EXPECT_EQ(shown(key, "> " + key), "> ***\n");
  EXPECT_EQ(shown(key, "1: MIIEowIBAAKCAQ\n2: x\n3: ZZZZZZZZZZ\n"), "1: ***\n2: x\n3: ***\n");
  EXPECT_EQ(shown(key, R"("-----BEGIN KEY-----\nMIIEowIBAAKCAQ\nx\nZZZZZZZZZZ\n-----END KEY-----\n")"), R"("***\n")");
}

TEST(Mask, hides_base64_whatever_stands_before_and_behind) {
  const std::string secret = "hunter2!hunter3?";
  for (const std::string& before : std::vector<std::string>{"", "u", "us", "use", "user:"}) {
    for (const std::string& behind : std::vector<std::string>{"", "x", "xy", "\n"}) {
      const std::string encoded = base64(before + secret + behind);
      const std::string text = shown(secret, "[" + encoded + "]");
      EXPECT_NE(text.find("***"), std::string::npos) << encoded << " -> " << text;
      // What is left are the characters of the others, which share bits with one of the value at most.
      EXPECT_LE(text.size(), 2 + 3 + (before.size() + behind.size() + 2) / 3 * 4 + 4) << text;
      for (std::size_t i = (before.size() + 2) / 3 * 4; i + 4 < encoded.size() - 4; i += 4) {
        EXPECT_EQ(text.find(encoded.substr(i, 4)), std::string::npos) << encoded << " -> " << text;
      }
    }
  }
  EXPECT_EQ(shown("\xff\xfe\xfd\xfc\xfb", "__79_Ps= //79/Ps="), "***= ***=") << "both alphabets";
}

TEST(Mask, base64_may_be_broken_into_lines_anywhere) {
  const std::string secret = "correct horse battery staple";
  const std::string encoded = base64(secret);
  for (std::size_t at = 5; at < encoded.size(); ++at) {
    EXPECT_EQ(shown(secret, encoded.substr(0, at) + "\n" + encoded.substr(at) + "\n").find_first_not_of("*=\n"),
              std::string::npos)
        << at;
  }
  // So little of it before the break that no line waits for it.
  MaskedStream stream(std::make_shared<Mask>(std::vector<std::string>{secret}));
  EXPECT_EQ(stream.add(encoded.substr(0, 3) + "\n"), encoded.substr(0, 3) + "\n");
  EXPECT_EQ(stream.add(encoded.substr(3) + "\n"), "***==\n");
}

TEST(Mask, hides_what_is_percent_encoded) {
  EXPECT_EQ(shown("p@ss w/rd", "?q=p%40ss%20w%2Frd&x"), "?q=***&x");
  EXPECT_EQ(shown("p@ss w/rd", "p%40ss+w%2frd p@ss%20w/rd"), "*** ***");
  EXPECT_EQ(shown("secret", "%73%65%63%72%65%74%"), "***%");
  EXPECT_EQ(shown("secret", "100% %7 %zz sec%72e"), "100% %7 %zz sec%72e");
  EXPECT_EQ(shown("sec%72et", "sec%72et"), "***") << "itself with a percent sign";
}

TEST(Mask, holds_back_only_what_may_become_a_value) {
  MaskedStream stream(std::make_shared<Mask>(std::vector<std::string>{"s3cr3t"}));
  EXPECT_EQ(stream.add("is this it? "), "is this it? ");
  EXPECT_EQ(stream.add("s3"), "");
  EXPECT_EQ(stream.add("4"), "s34");
  EXPECT_EQ(stream.add("s3cr3"), "");
  EXPECT_EQ(stream.add("t"), "***");
  EXPECT_EQ(stream.add("50%"), "50");
  EXPECT_EQ(stream.add("\n"), "%\n");
  EXPECT_EQ(stream.add("s3cr"), "");
  EXPECT_EQ(stream.finish(), "s3cr");
}

TEST(Mask, a_line_waits_for_the_next_only_when_the_value_goes_on_there) {
  MaskedStream stream(std::make_shared<Mask>(std::vector<std::string>{"s3cr3t"}));
  std::mt19937 random(7);
  for (int i = 0; i < 2000; ++i) {
    std::string line;
    for (int j = 0; j < 40; ++j) line += "abcdefghijklmnopqrstuvwxyz0123456789+/ABCDEFGHIJKL"[random() % 50];
    line += '\n';
    EXPECT_EQ(stream.add(line), line);
  }
}

TEST(Mask, a_long_value_leaves_nothing) {
  std::mt19937 random(3);
  std::string secret;
  for (int i = 0; i < 20'000; ++i) secret += static_cast<char>('!' + random() % 90);
  EXPECT_EQ(shown(secret, "[ " + secret + " ]"), "[ *** ]");
  EXPECT_EQ(shown(secret, secret.substr(3000, 4000)).find(secret.substr(4100, 1000)), std::string::npos);
  std::string wrapped = base64(secret);
  for (std::size_t at = 76; at < wrapped.size(); at += 77) wrapped.insert(at, "\n");
  EXPECT_EQ(shown(secret, wrapped).find_first_not_of("*="), std::string::npos);
}

TEST(Mask, an_error_is_hidden_in_all_its_parts) {
  Error error{ErrorKind::invalid, "no s3cr3t", "try s3cr3t", Position{"Earthfile", 1, 1, "RUN s3cr3t"}, {"in s3cr3t"}};
  const Error hidden = Mask({"s3cr3t"}).apply(error);
  EXPECT_EQ(proto::render(hidden).find("s3cr3t"), std::string::npos);
  EXPECT_EQ(hidden.message, "no ***");
}

std::string escaped(char c) {
  constexpr const char* kDigits = "0123456789abcdef";
  const auto byte = static_cast<unsigned char>(c);
  return {'%', kDigits[byte >> 4U], kDigits[byte & 15U]};
}

// Everything at once and slowly: which bytes of the text are a value's.
class Naive {
 public:
  Naive(std::vector<std::string> values, const std::string& text)
      : values_(std::move(values)), text_(text), hidden_(text.size()) {
    std::vector<Read> plain;
    for (std::size_t i = 0; i < text.size(); ++i) plain.push_back({text[i], i, i + 1});
    find(plain);
    find(percent());
    base64();
  }
  std::string shown() const {
    std::string shown;
    for (std::size_t i = 0; i < text_.size(); ++i) {
      if (!hidden_[i]) shown += text_[i];
      if (hidden_[i] && (i == 0 || !hidden_[i - 1])) shown += "***";
    }
    return shown;
  }

 private:
  struct Read {
    char byte;
    std::size_t begin;
    std::size_t end;
  };
  void find(const std::vector<Read>& reading) {
    for (std::size_t i = 0; i < reading.size(); ++i) {
      for (const auto& value : values_) {
        if (i + value.size() > reading.size()) continue;
        bool same = true;
        for (std::size_t j = 0; j < value.size(); ++j) same = same && reading[i + j].byte == value[j];
        if (!same) continue;
        for (std::size_t k = reading[i].begin; k < reading[i + value.size() - 1].end; ++k) hidden_[k] = true;
      }
    }
  }
  std::vector<Read> percent() const {
    std::vector<Read> reading;
    for (std::size_t i = 0; i < text_.size(); ++i) {
      const bool escape = text_[i] == '%' && i + 2 < text_.size() && std::isxdigit(text_[i + 1]) != 0 &&
                          std::isxdigit(text_[i + 2]) != 0;
      if (!escape) {
        reading.push_back({text_[i], i, i + 1});
        continue;
      }
      reading.push_back({static_cast<char>(std::stoi(text_.substr(i + 1, 2), nullptr, 16)), i, i + 3});
      i += 2;
    }
    return reading;
  }
  void base64() {
    const std::string alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    for (std::size_t i = 0; i < text_.size();) {
      std::vector<unsigned> run;
      const std::size_t start = i;
      for (; i < text_.size(); ++i) {
        const char c = text_[i] == '-' ? '+' : text_[i] == '_' ? '/' : text_[i];
        const std::size_t value = alphabet.find(c);
        if (value == std::string::npos) break;
        run.push_back(static_cast<unsigned>(value));
      }
      if (run.empty()) ++i;
      for (std::size_t way = 0; way < 4; ++way) {
        std::vector<Read> reading;
        for (std::size_t at = way; at + 1 < run.size(); ++at) {
          const std::size_t bit = (at - way) * 6 % 8;  // of a byte, where this character begins
          if (bit == 2) continue;                      // the last bits of one byte, and none of the next
          const unsigned two = run[at] << 6U | run[at + 1];
          const unsigned skip = bit == 0 ? 0 : 8 - bit;
          reading.push_back({static_cast<char>(two >> (4 - skip)), start + at + (skip == 0 ? 0 : 1), start + at + 2});
        }
        find(reading);
      }
    }
  }

  std::vector<std::string> values_;
  std::string text_;
  std::vector<bool> hidden_;
};

TEST(Mask, is_as_a_naive_one_says_however_the_text_is_cut) {
  std::mt19937 random(11);
  const auto below = [&](std::size_t n) { return random() % n; };
  const auto text_of = [&](std::size_t size) {
    std::string text;
    while (text.size() < size) text += "aab%41=/ cZm"[below(12)];
    return text;
  };
  std::size_t with_values = 0;
  for (int round = 0; round < 3000; ++round) {
    std::vector<std::string> values;
    for (std::size_t i = 0; i < 1 + below(3); ++i) {
      std::string value = text_of(4 + below(6));
      std::replace(value.begin(), value.end(), ' ', 'b');
      values.push_back(value);
    }
    std::string text;
    for (std::size_t i = 0; i < 1 + below(8); ++i) {
      const std::string& value = values[below(values.size())];
      switch (below(5)) {
        case 0:
          text += value;
          break;
        case 1:
          text += value.substr(0, below(value.size()));
          break;
        case 2:
          for (const char c : value) text += below(2) == 0 ? std::string(1, c) : escaped(c);
          break;
        case 3:
          text += base::Mask::hides(value) ? proto::base64_encode(text_of(below(4)) + value + text_of(below(4))) : "";
          break;
        default:
          text += text_of(below(10));
      }
    }
    const std::string expected = Naive(values, text).shown();
    with_values += expected == text ? 0 : 1;
    MaskedStream stream(std::make_shared<Mask>(values));
    std::string got;
    for (std::size_t at = 0; at < text.size();) {
      const std::size_t size = 1 + below(below(2) == 0 ? 2 : 20);
      got += stream.add(std::string_view(text).substr(at, size));
      ASSERT_TRUE(expected.starts_with(got)) << "too early: " << text << " -> " << got;
      at += size;
    }
    got += stream.finish();
    ASSERT_EQ(got, expected) << "values " << values.front() << " in " << text;
  }
  EXPECT_GT(with_values, 2000U);
}

}  // namespace
}  // namespace ingot::base

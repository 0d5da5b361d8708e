#ifndef ATOMEMO_I18N_H_
#define ATOMEMO_I18N_H_

#include <initializer_list>
#include <string>
#include <utility>

#include "atomemo/json.h"

namespace atomemo {

// A text in several languages: `I18n{{"en_US", "Weather"}, {"zh_Hans", "天气"}}`, or simply
// `"Weather"` where English is enough. The hub asks for "en_US" in every text.
class I18n {
 public:
  // NOLINTNEXTLINE(google-explicit-constructor): a plain text is meant to work everywhere.
  I18n(const char* en_us) : json_{{"en_US", en_us}} {}
  // NOLINTNEXTLINE(google-explicit-constructor): see above.
  I18n(std::string en_us) : json_{{"en_US", std::move(en_us)}} {}
  I18n(std::initializer_list<std::pair<const char*, const char*>> texts) : json_(Json::object()) {
    for (const auto& [locale, text] : texts) json_[locale] = text;
  }

  const Json& ToJson() const { return json_; }

 private:
  Json json_;
};

}  // namespace atomemo

#endif  // ATOMEMO_I18N_H_

#ifndef ATOMEMO_EXAMPLES_WEATHER_WEATHER_PLUGIN_H_
#define ATOMEMO_EXAMPLES_WEATHER_WEATHER_PLUGIN_H_

#include "atomemo/plugin.h"

namespace weather {

// The plugin with all its tools.
atomemo::Plugin MakePlugin();

}  // namespace weather

#endif  // ATOMEMO_EXAMPLES_WEATHER_WEATHER_PLUGIN_H_

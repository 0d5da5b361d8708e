#ifndef ATOMEMO_EXAMPLES_CREDENTIALS_CREDENTIALS_PLUGIN_H_
#define ATOMEMO_EXAMPLES_CREDENTIALS_CREDENTIALS_PLUGIN_H_

#include "atomemo/plugin.h"

namespace credentials {

// The plugin with its three credentials and the tools that use them.
atomemo::Plugin MakePlugin();

}  // namespace credentials

#endif  // ATOMEMO_EXAMPLES_CREDENTIALS_CREDENTIALS_PLUGIN_H_

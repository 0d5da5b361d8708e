#include "examples/weather/weather_plugin.h"

int main(int argc, char** argv) { return weather::MakePlugin().Main(argc, argv); }

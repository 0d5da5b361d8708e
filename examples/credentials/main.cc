#include "examples/credentials/credentials_plugin.h"

int main(int argc, char** argv) { return credentials::MakePlugin().Main(argc, argv); }

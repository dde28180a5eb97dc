#include <criterion/criterion.h>
Test(test_import_stub, stub) {}

#include <criterion/criterion.h>
Test(test_crowd_stub, stub) {}

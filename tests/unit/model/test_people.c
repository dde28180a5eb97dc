#include <criterion/criterion.h>
Test(test_people_stub, stub) {}

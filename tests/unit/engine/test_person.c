#include <criterion/criterion.h>
Test(test_person_stub, stub) {}

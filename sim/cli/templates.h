/* The files that polku new writes, with @NAME@ where the name goes. Made from sim/cli/templates by CMake. */
#ifndef PK_TEMPLATES_H
#define PK_TEMPLATES_H

extern const char pk_template_model[];
extern const char pk_template_scenario[];

#endif

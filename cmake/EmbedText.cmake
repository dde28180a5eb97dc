# polku_embed_text(FILE VARIABLE OUT): a text file as a C string constant.
function(polku_embed_text file variable out)
  set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${file})
  file(READ ${file} text)
  string(REPLACE "\\" "\\\\" text "${text}")
  string(REPLACE "\"" "\\\"" text "${text}")
  string(REPLACE "\n" "\\n\"\n    \"" text "${text}")
  file(GENERATE OUTPUT ${out} CONTENT
    "#include \"templates.h\"\nconst char ${variable}[] =\n    \"${text}\";\n")
endfunction()

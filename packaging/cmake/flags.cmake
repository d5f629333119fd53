# Compiler and linker flags. One place, so that every target has the same ones.

find_program(CCACHE ccache)
if(CCACHE)
	set(CMAKE_C_COMPILER_LAUNCHER ${CCACHE})
	set(CMAKE_CXX_COMPILER_LAUNCHER ${CCACHE})
endif()

add_compile_definitions(_GNU_SOURCE TRINITY_VERSION="${PROJECT_VERSION}")
include_directories(${CMAKE_SOURCE_DIR} ${CMAKE_BINARY_DIR}/generated)
# Unsafe libc calls are compile errors in every file of ours.
add_compile_options($<$<COMPILE_LANGUAGE:C>:-include${CMAKE_SOURCE_DIR}/shared/core/banned.h>)
set(CMAKE_CXX_STANDARD 17)
add_compile_options($<$<COMPILE_LANGUAGE:C>:-Wmissing-prototypes>
	$<$<COMPILE_LANGUAGE:C>:-Wstrict-prototypes>)
add_compile_options(-Wall -Wextra -Wshadow -Wvla
	-Walloca -Wformat=2 -Wimplicit-fallthrough -Wundef -Wpointer-arith -Wwrite-strings
	-Wno-missing-field-initializers -fno-strict-aliasing -fvisibility=hidden)
if(MX_DEV)
	add_compile_options(-Werror)
endif()

if(MX_SAN)
	add_compile_options(-fsanitize=${MX_SAN} -fno-omit-frame-pointer -fno-sanitize-recover=all)
	add_link_options(-fsanitize=${MX_SAN})
endif()
if(MX_FUZZ)
	add_compile_options(-fsanitize=fuzzer-no-link)
endif()

if(MX_HARDEN)
	add_compile_options(-U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=3 -fstack-protector-strong
		-fstack-clash-protection -fno-delete-null-pointer-checks -fwrapv)
	if(CMAKE_SYSTEM_PROCESSOR MATCHES "x86_64")
		add_compile_options(-fcf-protection=full -mharden-sls=all)
		# The note for shadow stacks, which start code without it would take away.
		add_link_options(-Wl,-z,shstk)
	endif()
	if(CMAKE_C_COMPILER_ID STREQUAL "GNU")
		add_compile_options(-ftrivial-auto-var-init=zero -fzero-call-used-regs=used-gpr)
	endif()
	add_link_options(-Wl,-z,relro,-z,now,-z,noexecstack,-z,separate-code)
endif()
set(CMAKE_POSITION_INDEPENDENT_CODE ON)

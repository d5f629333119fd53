# What `cmake --install` and the Debian packages put where. One component for each daemon.
include(GNUInstallDirs)

set(TRINITY_UNIT_DIR lib/systemd/system CACHE STRING "Where systemd's units go")
set(DOCUMENT_DIR ${CMAKE_INSTALL_DATAROOTDIR}/doc)
set(SAMPLE_DIR ${CMAKE_INSTALL_DATAROOTDIR}/trinity)
set(PACKAGE_DIR ${CMAKE_SOURCE_DIR}/packaging)

find_program(GZIP gzip REQUIRED)

# A copy that is packed, without the date that would make each build another one.
function(gzipped source target)
	add_custom_command(OUTPUT ${target} DEPENDS ${source}
		COMMAND ${GZIP} -9 -n -c ${source} > ${target})
endfunction()

# install_daemon(NAME title): the program trinity-NAME and all that belongs to it. What all daemons
# have alike is made from packaging/*/*.in, with the variables of this function.
function(install_daemon name title)
	set(program trinity-${name})
	set(made ${CMAKE_BINARY_DIR}/packaging/${program})
	file(MAKE_DIRECTORY ${made})
	foreach(part service sysusers tmpfiles)
		configure_file(${PACKAGE_DIR}/systemd/daemon.${part}.in ${made}/${program}.${part}
			@ONLY)
	endforeach()
	foreach(part changelog conffiles postinst postrm prerm)
		configure_file(${PACKAGE_DIR}/debian/${part}.in ${made}/${part} @ONLY)
	endforeach()
	gzipped(${made}/changelog ${made}/changelog.gz)
	gzipped(${PACKAGE_DIR}/man/${program}.8 ${made}/${program}.8.gz)
	gzipped(${PACKAGE_DIR}/CHANGELOG.md ${made}/CHANGELOG.md.gz)
	add_custom_target(${program}_documents ALL
		DEPENDS ${made}/changelog.gz ${made}/${program}.8.gz ${made}/CHANGELOG.md.gz)

	install(TARGETS ${program} DESTINATION ${CMAKE_INSTALL_BINDIR} COMPONENT ${name})
	install(FILES ${made}/${program}.8.gz
		DESTINATION ${CMAKE_INSTALL_MANDIR}/man8 COMPONENT ${name})
	install(FILES ${made}/${program}.service DESTINATION ${TRINITY_UNIT_DIR} COMPONENT ${name})
	install(FILES ${made}/${program}.sysusers RENAME ${program}.conf
		DESTINATION lib/sysusers.d COMPONENT ${name})
	install(FILES ${made}/${program}.tmpfiles RENAME ${program}.conf
		DESTINATION lib/tmpfiles.d COMPONENT ${name})
	install(FILES ${PACKAGE_DIR}/config/${name}.yaml
		DESTINATION ${CMAKE_INSTALL_FULL_SYSCONFDIR}/trinity COMPONENT ${name})
	install(FILES ${made}/changelog.gz ${made}/CHANGELOG.md.gz ${PACKAGE_DIR}/debian/copyright
		DESTINATION ${DOCUMENT_DIR}/${program} COMPONENT ${name})
	install(FILES ${PACKAGE_DIR}/nginx/${program}.conf ${PACKAGE_DIR}/config/${name}.yaml
		DESTINATION ${DOCUMENT_DIR}/${program}/examples COMPONENT ${name})
endfunction()

# A brand to copy: the texts that are built in.
function(install_templates name)
	set(target ${SAMPLE_DIR}/${name}/templates)
	install(DIRECTORY ${PACKAGE_DIR}/templates/common/ ${PACKAGE_DIR}/templates/${name}/
		DESTINATION ${target}/default COMPONENT ${name} PATTERN README.md EXCLUDE)
	install(FILES ${PACKAGE_DIR}/templates/README.md DESTINATION ${target} COMPONENT ${name})
endfunction()

if(DEFINED ENV{SOURCE_DATE_EPOCH})
	set(date_of @$ENV{SOURCE_DATE_EPOCH})
else()
	set(date_of now)
endif()
execute_process(COMMAND date -u -R -d ${date_of} OUTPUT_VARIABLE CHANGELOG_DATE
	OUTPUT_STRIP_TRAILING_WHITESPACE)

set(installed "")
if(TARGET trinity-notary)
	install_daemon(notary "Trinity key notary")
	list(APPEND installed notary)
endif()
if(TARGET trinity-identity)
	install_daemon(identity "Trinity identity service")
	list(APPEND installed identity)
	install_templates(identity)
endif()
if(TARGET trinity-homeserver)
	install_daemon(homeserver "Trinity homeserver")
	list(APPEND installed homeserver)
	install_templates(homeserver)
endif()
if(installed)
	include(${PACKAGE_DIR}/cmake/package.cmake)
endif()

# Debian packages, one for each daemon in `installed`; packaging/build-deb makes them.
set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_NAME trinity)
set(CPACK_PACKAGE_VENDOR "The Trinity authors")
set(CPACK_PACKAGE_CONTACT "The Trinity authors <trinity@trinity.invalid>")
set(CPACK_COMPONENTS_ALL ${installed})
set(CPACK_DEB_COMPONENT_INSTALL ON)
set(CPACK_STRIP_FILES ON)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_PACKAGE_CONTROL_STRICT_PERMISSION ON)
set(CPACK_DEBIAN_PACKAGE_SECTION net)
set(CPACK_DEBIAN_PACKAGE_PRIORITY optional)
set(CPACK_INSTALL_DEFAULT_DIRECTORY_PERMISSIONS
	OWNER_READ OWNER_WRITE OWNER_EXECUTE GROUP_READ GROUP_EXECUTE WORLD_READ WORLD_EXECUTE)

foreach(name IN LISTS installed)
	string(TOUPPER ${name} upper)
	set(made ${CMAKE_BINARY_DIR}/packaging/trinity-${name})
	set(CPACK_DEBIAN_${upper}_PACKAGE_NAME trinity-${name})
	# Without authorities for the certificates of other servers nothing starts.
	set(CPACK_DEBIAN_${upper}_PACKAGE_DEPENDS
		"systemd | systemd-standalone-sysusers, init-system-helpers (>= 1.52), ca-certificates")
	set(CPACK_DEBIAN_${upper}_PACKAGE_CONTROL_EXTRA
		${made}/postinst ${made}/prerm ${made}/postrm ${made}/conffiles)
endforeach()

set(CPACK_COMPONENT_NOTARY_DESCRIPTION "perspectives key notary for Matrix
Answers other Matrix servers' questions for the signing keys of any server,
from a verified history that never forgets a key. A server that has the
notary among its trusted key servers can check old events of servers that
are gone.")
set(CPACK_COMPONENT_IDENTITY_DESCRIPTION "identity service for Matrix
People prove that an e-mail address or a phone number is theirs, publish it,
and are found by it; people who are invited by address find the invite when
they come. Speaks versions 1 and 2 of the identity service API.")
set(CPACK_COMPONENT_HOMESERVER_DESCRIPTION "homeserver for Matrix
Accounts, rooms and media of the people of one Matrix server: they talk
with any Matrix client, on several devices at once. What was acknowledged
is on the disk.")
include(CPack)

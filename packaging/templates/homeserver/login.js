const form = document.querySelector('form');
const message = document.querySelector('[role=alert]');
const asked = new URLSearchParams(location.search);

function request() {
	const body = {
		type: 'm.login.password',
		identifier: { type: 'm.id.user', user: form.user.value },
		password: form.password.value,
	};
	for (const name of ['device_id', 'initial_device_display_name'])
		if (asked.get(name))
			body[name] = asked.get(name);
	return body;
}

async function login() {
	const reply = await fetch('/_matrix/client/v3/login', {
		method: 'POST',
		headers: { 'Content-Type': 'application/json' },
		body: JSON.stringify(request()),
	});
	const answer = await reply.json();
	if (!reply.ok)
		throw new Error(answer.error);
	form.hidden = true;
	document.querySelector('#done').hidden = false;
	if (window.matrixLogin && window.matrixLogin.onLogin)
		window.matrixLogin.onLogin(answer);
}

form.addEventListener('submit', (event) => {
	event.preventDefault();
	message.textContent = '';
	login().catch((error) => { message.textContent = error.message; });
});

// What two people do with matrix-js-sdk, in Node and in a browser alike. A step is given the state
// that the steps before it left, and tells how it went.
import * as sdk from "matrix-js-sdk";

const PASSWORD = "correct horse";
const WAIT_MS = 20000;

sdk.logger?.disableAll?.();

function login(state, url, name) {
	const kept = (state.people ??= {})[name];
	return sdk.createClient({
		baseUrl: url,
		userId: kept?.user_id,
		deviceId: kept?.device_id,
		accessToken: kept?.access_token,
		timelineSupport: true,
		useAuthorizationHeader: true,
	});
}

async function person(state, url, name) {
	const client = login(state, url, name);
	if (state.people[name]) return client;
	let answer;
	try {
		answer = await client.registerRequest({ username: name, password: PASSWORD });
	} catch (asked) {
		answer = await client.registerRequest({
			username: name,
			password: PASSWORD,
			auth: { type: "m.login.dummy", session: asked.data.session },
		});
	}
	state.people[name] = answer;
	return login(state, url, name);
}

// Syncing until the first /sync is through.
async function started(client) {
	const ready = new Promise((resolve, reject) => {
		client.on(sdk.ClientEvent.Sync, (now, _, data) => {
			if (now === "PREPARED") resolve();
			if (now === "ERROR") reject(data.error);
		});
	});
	await client.startClient({ initialSyncLimit: 20, lazyLoadMembers: true });
	await ready;
	return client;
}

async function until(what) {
	const end = Date.now() + WAIT_MS;
	for (;;) {
		const found = await what();
		if (found) return found;
		if (Date.now() > end) throw new Error(`never came: ${what}`);
		await new Promise((resolve) => setTimeout(resolve, 20));
	}
}

const said = (client, room) =>
	client.getRoom(room).getLiveTimeline().getEvents()
		.filter((event) => event.getType() === "m.room.message" && !event.isRelation("m.replace"))
		.map((event) => event.getContent().body);

const steps = {
	async meet(ann, bea, state) {
		await started(ann);
		await started(bea);
		const { room_id: room } = await ann.createRoom({
			name: "Tea", topic: "What to drink", invite: [bea.getUserId()], preset: "private_chat",
		});
		state.room = room;
		const seen = await until(() => bea.getRoom(room));
		const invited = seen.getMyMembership();
		await bea.joinRoom(room);
		await until(() => bea.getRoom(room)?.getMyMembership() === "join");
		await until(() => ann.getRoom(room)?.getJoinedMemberCount() === 2);
		return { invited, name: bea.getRoom(room).name,
			version: bea.getRoom(room).getVersion() };
	},

	async talk(ann, bea, state) {
		await started(ann);
		await started(bea);
		const room = state.room;
		await ann.sendTextMessage(room, "green or black?");
		const answer = await bea.sendTextMessage(room, "blak");
		await until(() => said(ann, room).includes("blak"));
		await bea.sendMessage(room, {
			msgtype: "m.text", body: "* black",
			"m.new_content": { msgtype: "m.text", body: "black" },
			"m.relates_to": { rel_type: "m.replace", event_id: answer.event_id },
		});
		const reaction = await ann.sendEvent(room, "m.reaction", {
			"m.relates_to": { rel_type: "m.annotation", event_id: answer.event_id, key: "👍" },
		});
		const edited = await until(() => {
			const event = ann.getRoom(room).findEventById(answer.event_id);
			return event?.replacingEventId() && event.getContent().body;
		});
		const page = await ann.relations(room, answer.event_id, "m.annotation", "m.reaction");
		const read = await until(() => bea.getRoom(room).findEventById(reaction.event_id));
		await bea.sendReadReceipt(read);
		await bea.sendTyping(room, true, 20000);
		await until(() => ann.getRoom(room).getMember(bea.getUserId())?.typing);
		// Not what the client makes up itself of what she said.
		await until(() => ann.getRoom(room).getEventReadUpTo(bea.getUserId(), true) ===
			reaction.event_id);
		const bundled = await ann.fetchRoomEvent(room, answer.event_id);
		state.answer = answer.event_id;
		return { edited, reactions: page.events.map((event) => event.getRelation().key),
			bundled: bundled.unsigned["m.relations"]["m.replace"]?.content["m.new_content"].body };
	},

	// With what one comes back to: the token of before.
	async again(ann, bea, state) {
		await started(bea);
		const room = state.room;
		const there = said(bea, room);
		await bea.scrollback(bea.getRoom(room), 50);
		await started(ann);
		await ann.sendTextMessage(room, "still here");
		await until(() => said(bea, room).includes("still here"));
		return { there, first: bea.getRoom(room).getLiveTimeline().getEvents()[0].getType() };
	},

	async keep(ann, bea, state) {
		const sent = await ann.uploadContent(new Blob(["a picture of tea"]), {
			type: "image/png", name: "tea.png" });
		const path = sent.content_uri.replace("mxc:/", "/_matrix/client/v1/media/download");
		const got = await fetch(ann.getHomeserverUrl() + path, {
			headers: { Authorization: `Bearer ${ann.getAccessToken()}` } });
		await ann.setDisplayName("Ann");
		await ann.setAccountData("test.kept", { value: 1 });
		await ann.setRoomTag(state.room, "m.favourite", { order: 0.5 });
		await started(ann);
		const kept = ann.getAccountData("test.kept").getContent();
		const { displayname } = await bea.getProfileInfo(ann.getUserId());
		return { same: (await got.text()) === "a picture of tea", kept, displayname,
			tags: ann.getRoom(state.room).tags };
	},

	async leave(ann, bea, state) {
		await bea.leave(state.room);
		await bea.forget(state.room);
		const { joined_rooms: rooms } = await bea.getJoinedRooms();
		await bea.logout(true);
		let code;
		try {
			await bea.whoami();
		} catch (wrong) {
			code = wrong.errcode;
		}
		return { rooms, code };
	},
};

export async function run(url, step, state) {
	const ann = await person(state, url, "ann");
	const bea = await person(state, url, "bea");
	try {
		return { told: await steps[step](ann, bea, state), state };
	} finally {
		ann.stopClient();
		bea.stopClient();
	}
}

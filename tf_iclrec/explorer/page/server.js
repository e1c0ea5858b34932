// Questions to the server that this page came from.

async function read(response) {
  const said = await response.json().catch(() => ({ error: "The server failed; see its terminal." }));
  if (!response.ok) throw new Error(said.error);
  return said;
}

export async function get(path, parameters = {}) {
  return read(await fetch(`/api/${path}?${new URLSearchParams(parameters)}`));
}

export async function post(path, body, signal) {
  return read(await fetch(`/api/${path}`, { method: "POST", body: JSON.stringify(body), signal }));
}

/** Whether a model is named by a URL and not by a folder. */
export function isEndpoint(model: string): boolean {
  return /^https?:\/\//i.test(model);
}

/** The parts of `URL#MODEL`; the model is empty when it is not named. */
export function endpointNamed(name: string): { readonly url: string; readonly model: string } {
  const at = name.indexOf('#');
  return at < 0 ? { url: name, model: '' } : { url: name.slice(0, at), model: name.slice(at + 1) };
}

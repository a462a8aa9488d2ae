import type { ServerResponse } from 'node:http';

/** Answers a request for something other than the stream; false when there is nothing under that path. */
export type Pages = (path: string, response: ServerResponse) => boolean;

/** What a page of the demo may do: show what comes from here, with the scripts and styles written into it. */
const OWN_PAGE = "default-src 'self'; img-src 'self' data:; script-src 'unsafe-inline'; style-src 'unsafe-inline'";

/** Answers with a page, a picture or the like. @returns true, as {@link Pages} do that have something */
export function send(response: ServerResponse, type: string, body: string | Buffer, policy = OWN_PAGE): true {
  response.writeHead(200, {
    'content-type': type,
    'x-content-type-options': 'nosniff',
    'content-security-policy': policy,
  });
  response.end(body);
  return true;
}

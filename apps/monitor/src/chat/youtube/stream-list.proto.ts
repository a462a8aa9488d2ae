/** A field of a protocol buffer: its number and type. */
type Fields = Readonly<Record<string, { id: number; type: string; rule?: 'repeated' }>>;

const text = (id: number): { id: number; type: string } => ({ id, type: 'string' });
const flag = (id: number): { id: number; type: string } => ({ id, type: 'bool' });
const part = (id: number, type: string): { id: number; type: string } => ({ id, type });
const message = (fields: Fields): { fields: Fields } => ({ fields });

/** Kinds of items by the names of the push; the REST API writes them in camel case. */
const TYPES = {
  ...{ INVALID_TYPE: 0, TEXT_MESSAGE_EVENT: 1, TOMBSTONE: 2, FAN_FUNDING_EVENT: 3, CHAT_ENDED_EVENT: 4 },
  ...{ SPONSOR_ONLY_MODE_STARTED_EVENT: 5, SPONSOR_ONLY_MODE_ENDED_EVENT: 6, NEW_SPONSOR_EVENT: 7 },
  ...{ MESSAGE_DELETED_EVENT: 8, MESSAGE_RETRACTED_EVENT: 9, USER_BANNED_EVENT: 10, SUPER_CHAT_EVENT: 15 },
  ...{ SUPER_STICKER_EVENT: 16, MEMBER_MILESTONE_CHAT_EVENT: 17, MEMBERSHIP_GIFTING_EVENT: 18 },
  ...{ GIFT_MEMBERSHIP_RECEIVED_EVENT: 19, POLL_EVENT: 20 },
};

/**
 * What we read of YouTube's `stream_list.proto` (proto2, package youtube.api.v3; developers.google.com, "Streaming
 * live chat"), in protobufjs' JSON form. The numbers are those of the published file; a wrong one would not fail, the
 * field would merely be missing. All that is not named here is skipped.
 */
export const STREAM_LIST = {
  nested: {
    Service: {
      methods: {
        StreamList: { requestType: 'Request', responseType: 'Response', responseStream: true, comment: '' },
      },
    },
    Request: message({ liveChatId: text(1), pageToken: text(99), part: { ...text(100), rule: 'repeated' } }),
    Response: message({
      offlineAt: text(2),
      items: { ...part(1007, 'Item'), rule: 'repeated' },
      nextPageToken: text(100_602),
    }),
    Item: message({ id: text(101), snippet: part(2, 'Snippet'), authorDetails: part(3, 'Author') }),
    Author: message({
      ...{ channelId: text(10_101), displayName: text(103) },
      ...{ isVerified: flag(4), isChatOwner: flag(5), isChatSponsor: flag(6), isChatModerator: flag(7) },
    }),
    Type: { values: TYPES },
    Snippet: message({
      ...{ type: part(1, 'Type'), publishedAt: text(4), displayMessage: text(16) },
      textMessageDetails: part(19, 'TextMessage'),
      messageDeletedDetails: part(20, 'MessageDeleted'),
      messageRetractedDetails: part(21, 'MessageRetracted'),
      userBannedDetails: part(22, 'UserBanned'),
      superChatDetails: part(27, 'Money'),
      superStickerDetails: part(28, 'Sticker'),
      memberMilestoneChatDetails: part(30, 'Milestone'),
    }),
    TextMessage: message({ messageText: text(1) }),
    MessageDeleted: message({ deletedMessageId: text(101) }),
    MessageRetracted: message({ retractedMessageId: text(201) }),
    UserBanned: message({ bannedUserDetails: part(1, 'Profile') }),
    Profile: message({ channelId: text(101) }),
    Money: message({ amountMicros: part(1, 'uint64'), currency: text(2), userComment: text(4) }),
    Sticker: message({ amountMicros: part(1, 'uint64'), currency: text(2) }),
    Milestone: message({ userComment: text(3) }),
  },
};

/** Where the service lives on the wire. */
export const STREAM_LIST_PATH = '/youtube.api.v3.V3DataLiveChatMessageService/StreamList';

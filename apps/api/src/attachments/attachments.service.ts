import { Inject, Injectable } from '@nestjs/common';
import type { AttachmentView } from '#libs/contracts/sockets.js';
import type { EvidenceContent, EvidenceStore } from '#libs/evidence/evidence-store.js';
import { TransactionRunner, type Transaction } from '../database/transaction.js';
import type { AttachmentEntity } from './attachment.entity.js';
import { attachmentNotFound, contentRefused, fileMissing, tooManyUnsent } from './attachments.errors.js';
import { AttachmentsRepository } from './attachments.repository.js';
import { PictureCleaner } from './clean-picture.js';
import { safeFileName } from './file-name.js';
import { recogniseContent } from './recognise-content.js';

/** Injection token of the {@link EvidenceStore} that attachments are kept in. */
export const ATTACHMENT_STORE = Symbol('ATTACHMENT_STORE');

/** Uploads of one user that wait for their message, at most. */
const MOST_UNSENT = 50;
/** An upload that no message was sent with is kept so long, in ms. */
const UNSENT_KEPT_MS = 24 * 60 * 60_000;
/** Removed in one transaction at most. */
const SWEEP_SIZE = 100;

/** A file as it came in. */
export interface UploadedAttachment {
  originalname: string;
  buffer: Buffer;
}

/** Files that are sent along with messages: recognised, cleaned, kept, and given to those of the conversation alone. */
@Injectable()
export class AttachmentsService {
  private readonly pictures = new PictureCleaner();

  constructor(
    private readonly repository: AttachmentsRepository,
    private readonly transactions: TransactionRunner,
    @Inject(ATTACHMENT_STORE) private readonly store: EvidenceStore,
  ) {}

  /**
   * Keeps a file until a message is sent with it.
   * @throws AppError `attachment.missing`, `attachment.refused`, `attachment.picture.too_large`,
   * `attachment.picture.broken`, `attachment.unsent.too_many`, `evidence.full`, `evidence.unavailable`.
   */
  async upload(uploaderId: string, file: UploadedAttachment | undefined): Promise<AttachmentView> {
    if (file === undefined || file.buffer.length === 0) throw fileMissing();
    const kind = recogniseContent(file.buffer);
    if (kind === null) throw contentRefused();
    if ((await this.repository.countUnsent(uploaderId)) >= MOST_UNSENT) throw tooManyUnsent();
    const { bytes, width, height } = kind.picture
      ? await this.pictures.clean(file.buffer, kind)
      : { bytes: file.buffer, width: null, height: null };
    const name = safeFileName(file.originalname, kind.ending);
    // The row first: bytes without one would be found by nobody.
    const row = await this.repository.create({
      ...{ uploaderId, name, contentType: kind.type, size: bytes.length },
      ...{ width, height },
    });
    try {
      await this.store.put(keyOf(row.id), bytes);
    } catch (error) {
      await this.repository.remove(row.id);
      throw error;
    }
    return viewOf(row);
  }

  /** The file, for whoever uploaded it and both of its conversation. @throws AppError `attachment.not_found`. */
  async open(userId: string, id: string): Promise<{ attachment: AttachmentView; content: EvidenceContent }> {
    const row = await this.repository.findFor(userId, id);
    const content = row === null ? null : await this.store.open(keyOf(row.id));
    if (row === null || content === null) throw attachmentNotFound();
    return { attachment: viewOf(row), content };
  }

  /** Ties the sender's uploads to a message, each to one only. @throws AppError `attachment.not_found`. */
  async claim(tx: Transaction, uploaderId: string, messageId: string, ids: readonly string[]): Promise<void> {
    if (ids.length === 0) return;
    if ((await this.repository.claim(tx, uploaderId, messageId, ids)) < ids.length) throw attachmentNotFound();
  }

  /** Attachments by the id of their message; messages without are left out. */
  async ofMessages(messageIds: readonly string[]): Promise<Map<string, AttachmentView[]>> {
    if (messageIds.length === 0) return new Map();
    const found = new Map<string, AttachmentView[]>();
    for (const row of await this.repository.ofMessages(messageIds)) {
      if (row.messageId !== null) found.set(row.messageId, [...(found.get(row.messageId) ?? []), viewOf(row)]);
    }
    return found;
  }

  /**
   * Removes what was uploaded a day ago and has no message, bytes first.
   * @param now epoch ms.
   * @returns how many.
   */
  async removeUnsent(now: number): Promise<number> {
    return this.transactions.run(async (tx) => {
      const ids = await this.repository.lockUnsent(tx, new Date(now - UNSENT_KEPT_MS), SWEEP_SIZE);
      for (const id of ids) await this.store.delete(keyOf(id));
      await this.repository.removeAll(tx, ids);
      return ids.length;
    });
  }
}

function keyOf(id: string): string {
  return `attachments/${id}`;
}

function viewOf(row: AttachmentEntity): AttachmentView {
  const { id, name, contentType, size, width, height } = row;
  return { id, name, contentType, size, width, height, url: `/api/attachments/${id}` };
}

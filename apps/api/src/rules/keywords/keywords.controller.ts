import { Body, Controller, Delete, Get, HttpCode, Param, Patch, Post, Query } from '@nestjs/common';
import { ApiBearerAuth, ApiOperation, ApiResponse, ApiTags } from '@nestjs/swagger';
import { CurrentUser, Roles } from '../../auth/access.decorators.js';
import type { AuthenticatedUser } from '../../auth/authenticated-user.js';
import { ApiErrors } from '../../http/api-errors.js';
import { ApiIfMatch, IfMatch, Tagged, type Precondition } from '../../http/etag.js';
import { Idempotent } from '../../http/idempotent.js';
import type { Page } from '../../http/pagination.js';
import { Id } from '../../http/params.js';
import { KeywordTester } from './keyword-tester.js';
import { KeywordTestRequest, KeywordTestResult } from './keyword-test.dto.js';
import {
  CreateKeywordRequest,
  ImportKeywordsRequest,
  ImportKeywordsResult,
  KeywordPage,
  KeywordQuery,
  KeywordView,
  UpdateKeywordRequest,
} from './keywords.dto.js';
import { KeywordsService } from './keywords.service.js';

const versionOf = ({ version }: KeywordView): number => version;

@ApiTags('keywords')
@ApiBearerAuth()
@Controller('keywords')
export class KeywordsController {
  constructor(
    private readonly keywords: KeywordsService,
    private readonly tester: KeywordTester,
  ) {}

  @Get()
  @ApiOperation({ operationId: 'listKeywords', summary: 'Words, phrases and patterns that are looked for, by label' })
  @ApiResponse({ status: 200, description: 'One page.', standardSchema: KeywordPage })
  @ApiErrors(400, 401)
  list(@Query({ schema: KeywordQuery }) query: KeywordQuery): Promise<Page<KeywordView>> {
    return this.keywords.list(query);
  }

  @Roles('admin')
  @Post()
  @Idempotent()
  @Tagged(versionOf)
  @ApiOperation({ operationId: 'createKeyword', summary: 'Look for a word, phrase or pattern' })
  @ApiResponse({ status: 201, description: 'Monitors look for it from now on.', standardSchema: KeywordView })
  @ApiErrors(400, 401, 403, 409)
  create(@Body({ schema: CreateKeywordRequest }) body: CreateKeywordRequest): Promise<KeywordView> {
    return this.keywords.create(body);
  }

  @Roles('admin')
  @Post('import')
  @Idempotent()
  @HttpCode(200)
  @ApiOperation({ operationId: 'importKeywords', summary: 'Add up to 5,000 keywords at once, each with its outcome' })
  @ApiResponse({ status: 200, description: 'What became of each row.', standardSchema: ImportKeywordsResult })
  @ApiErrors(400, 401, 403)
  import(@Body({ schema: ImportKeywordsRequest }) body: ImportKeywordsRequest): Promise<ImportKeywordsResult> {
    return this.keywords.import(body);
  }

  @Post('test')
  @HttpCode(200)
  @ApiOperation({ operationId: 'testKeywords', summary: 'Would this text match, and why' })
  @ApiResponse({
    status: 200,
    description: 'Hits, and why what was asked about is none.',
    standardSchema: KeywordTestResult,
  })
  @ApiErrors(400, 401, 403, 404, 429)
  test(
    @CurrentUser() user: AuthenticatedUser,
    @Body({ schema: KeywordTestRequest }) body: KeywordTestRequest,
  ): Promise<KeywordTestResult> {
    return this.tester.test(user, body);
  }

  @Get(':id')
  @Tagged(versionOf)
  @ApiOperation({ operationId: 'getKeyword', summary: 'One keyword' })
  @ApiResponse({ status: 200, description: 'The keyword.', standardSchema: KeywordView })
  @ApiErrors(400, 401, 404)
  get(@Param('id', { schema: Id }) id: string): Promise<KeywordView> {
    return this.keywords.get(id);
  }

  @Roles('admin')
  @Patch(':id')
  @Tagged(versionOf)
  @ApiIfMatch()
  @ApiOperation({ operationId: 'updateKeyword', summary: 'Change a keyword' })
  @ApiResponse({ status: 200, description: 'The keyword as it is now.', standardSchema: KeywordView })
  @ApiErrors(400, 401, 403, 404, 409)
  update(
    @Param('id', { schema: Id }) id: string,
    @Body({ schema: UpdateKeywordRequest }) body: UpdateKeywordRequest,
    @IfMatch() precondition: Precondition,
  ): Promise<KeywordView> {
    return this.keywords.update(id, body, precondition);
  }

  @Roles('admin')
  @Delete(':id')
  @ApiIfMatch()
  @HttpCode(204)
  @ApiOperation({ operationId: 'deleteKeyword', summary: 'Look for a keyword no longer' })
  @ApiResponse({ status: 204, description: 'Gone.' })
  @ApiErrors(400, 401, 403, 404)
  remove(@Param('id', { schema: Id }) id: string, @IfMatch() precondition: Precondition): Promise<void> {
    return this.keywords.remove(id, precondition);
  }
}

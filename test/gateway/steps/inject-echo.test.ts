// What a server sends back of a secret is taken out again: in every form, across pieces, in every coding, in fields (attacks.md SEC-06; PRX-32).
import { PassThrough } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import { pipeline } from 'node:stream/promises'
import zlib from 'node:zlib'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Field, Watch } from '../../../src/gateway/steps/step.ts'
import { formsOf, needlesOf, soughtFor } from '../../../src/secrets/forms.ts'
import { makeScrubber } from '../../../src/gateway/steps/inject/scrub.ts'
import { ask, held, token } from './secrets.ts'

async function watchOf(): Promise<{ readonly watch: Watch; readonly uses: readonly (readonly unknown[])[] }> {
  const { watch, uses } = await ask([held(token)], { fields: [['Authorization', `Bearer ${token.placeholder}`]] })
  if (watch === undefined) throw new Error('the answer is not watched')
  return { watch, uses }
}

/** The answer's body as the cell gets it, from pieces as the server sent them. */
async function received(pieces: readonly (Buffer | string)[], fields: readonly Field[] = []): Promise<Buffer> {
  const { watch } = await watchOf()
  const through = watch.head?.({ status: 200, fields }).through
  if (through === undefined) throw new Error('the body is not searched')
  const done = buffer(through)
  for (const piece of pieces) if (!through.write(piece)) await new Promise((resolve) => through.once('drain', resolve))
  through.end()
  return done
}

const forms = [...formsOf(token.value)]
const leaks = (text: string): readonly string[] => forms.filter(([, form]) => text.includes(form)).map(([kind]) => kind)

it.each(forms)('%s is found, wherever the pieces end, and the placeholder stands there in the same form', async (kind, form) => {
  const put = formsOf(token.placeholder).get(kind) ?? ''
  const text = `before ${form} between ${form}${form} after`
  const wanted = `before ${put} between ${put}${put} after`
  for (let cut = 1; cut < text.length; cut += 1) expect((await received([text.slice(0, cut), text.slice(cut)])).toString()).toBe(wanted)
  expect((await received([...text].map((char) => Buffer.from(char)))).toString()).toBe(wanted)
})

it('Basic and other base64 at any alignment', async () => {
  for (let before = 0; before < 7; before++)
    for (const encoding of ['base64', 'base64url'] as const) {
      const text = Buffer.from(`${'u'.repeat(before)}:${token.value}:rest`).toString(encoding)
      const came = (await received([`Authorization: Basic ${text}\n`])).toString()
      expect(leaks(came)).toEqual([])
      expect(Buffer.from(came.slice(21), encoding).toString('latin1')).toContain(token.placeholder.slice(1, -1))
    }
})

it('a hexadecimal value in the other case, as databases write identifiers', async () => {
  const id = { name: 'ID', value: '0f8fad5b-d9cb-469f-a165-70867728950e', placeholder: '77aa1b2c-9d3e-4f50-8162-a3b4c5d6e7f8' }
  const { watch } = await ask([held(id)], {})
  const through = watch?.head?.({ status: 200, fields: [] }).through
  const done = buffer(through ?? process.stdin)
  through?.end(`{${id.value.toUpperCase()}} ${id.value}`)
  expect((await done).toString()).toBe(`{${id.placeholder.toUpperCase()}} ${id.placeholder}`)
})

it('base64 of a head that holds Basic: encoded twice, as servers do that report requests', async () => {
  for (let before = 0; before < 3; before++)
    for (let around = 0; around < 3; around++) {
      const head = `${'x'.repeat(around)} authorization: Basic ${Buffer.from(`${'u'.repeat(before)}:${token.value}`).toString('base64')} ..`
      const came = (await received([Buffer.from(head).toString('base64')])).toString()
      const basic = /Basic (\S+)/.exec(Buffer.from(came, 'base64').toString())?.[1] ?? ''
      const inner = Buffer.from(basic, 'base64').toString('latin1')
      expect(inner).not.toContain(token.value)
      expect(inner).not.toContain(token.value.slice(4, -4))
      expect(inner).toContain(token.placeholder.slice(4, -4))
    }
})

describe('base64 that is broken into lines', () => {
  const broken = (text: string, width: number, end: string): string => text.replaceAll(new RegExp(`.{${width}}`, 'g'), `$&${end}`)
  it.each([
    ['as `base64` does it', 76, '\n'],
    ['as mail and Python do', 76, '\r\n'],
    ['as Ruby does', 60, '\n'],
    ['as PEM does, indented', 64, '\n    '],
    ['in a string of JSON', 60, '\\n'],
    ['in a string of JSON, from PHP', 76, '\\r\\n'],
    ['narrow', 12, '\n'],
    ['in fours', 4, '\n'],
  ] as const)('%s', async (_way, width, end) => {
    const joined = (text: string): string => Buffer.from(text.replaceAll(/(?:\\r|\\n|\s)+/g, ''), 'base64').toString('latin1')
    for (let front = 0; front < 76; front++) {
      const text = broken(Buffer.from(`${'u'.repeat(front)}${token.value}:rest`).toString('base64'), width, end)
      const came = (await received([text.slice(0, 20 + front), text.slice(20 + front)])).toString()
      expect(came.length).toBe(text.length)
      expect(joined(came)).toContain(token.placeholder.slice(3, -1))
      for (let at = 3; at + 12 <= token.value.length; at++) expect(joined(came)).not.toContain(token.value.slice(at, at + 12))
    }
  })

  it('a line that only ends as a value begins does not wait', () => {
    const [, start = ''] = [...formsOf(token.value)].find(([kind]) => kind === 'base64-0') ?? []
    const scrubber = makeScrubber(soughtFor(held(token)), () => undefined)
    for (const line of [`12:00${start.slice(0, 1)}\n`, `{"a":"${start.slice(0, 2)}"}\n`, `${start.slice(0, 2)}\r\n`])
      expect(scrubber.push(Buffer.from(line)).toString()).toBe(line)
  })
})

it.each([
  ['gzip', zlib.gzipSync],
  ['x-gzip', zlib.gzipSync],
  ['deflate', zlib.deflateSync],
  ['br', zlib.brotliCompressSync],
  ['zstd', zlib.zstdCompressSync],
  ['gzip, br', (text: Buffer) => zlib.brotliCompressSync(zlib.gzipSync(text))],
] as const)('an answer in %s that nobody asked for is opened and searched', async (coding, compress) => {
  const text = Buffer.from(`${'x'.repeat(100_000)}${token.value}${'y'.repeat(100_000)}`)
  const bytes = compress(text)
  const fields: readonly Field[] = [
    ['Content-Type', 'text/plain'],
    ['Content-Encoding', coding],
  ]
  for (const size of [1, 7, 65_536]) {
    const pieces = Array.from({ length: Math.ceil(bytes.length / size) }, (_, at) => bytes.subarray(at * size, (at + 1) * size))
    const came = (await received(pieces, fields)).toString()
    expect(came === text.toString().replace(token.value, token.placeholder)).toBe(true)
  }
  const { watch } = await watchOf()
  expect(watch.head?.({ status: 200, fields }).fields).toEqual([['Content-Type', 'text/plain']])
})

it('a coding that cannot be opened, or bytes that are not in it, never pass', async () => {
  const { watch } = await watchOf()
  expect(() => watch.head?.({ status: 200, fields: [['Content-Encoding', 'compress']] })).toThrow('cannot be searched')
  const through = watch.head?.({ status: 200, fields: [['content-encoding', 'gzip']] }).through
  if (through === undefined) throw new Error('not searched')
  const sink = new PassThrough()
  const came = buffer(sink).catch(() => Buffer.alloc(0))
  const source = new PassThrough()
  source.end(`not gzip ${token.value}`)
  await expect(pipeline(source, through, sink)).rejects.toThrow()
  expect((await came).length).toBe(0)
})

it('a compressed answer that unfolds to much more passes at the speed of its reader', async () => {
  const bytes = zlib.gzipSync(Buffer.alloc(200_000_000, 'x'))
  const { watch } = await watchOf()
  const through = watch.head?.({ status: 200, fields: [['content-encoding', 'gzip']] }).through
  if (through === undefined) throw new Error('not searched')
  through.write(bytes)
  through.end()
  let length = 0
  let most = 0
  for await (const piece of through as AsyncIterable<Buffer>) {
    length += piece.length
    most = Math.max(most, through.readableLength)
  }
  expect(length).toBe(200_000_000)
  expect(most).toBeLessThan(1_000_000)
})

it('fields are searched too: Location, what a server names, and cookies stay outside', async () => {
  const { watch, uses } = await watchOf()
  const { fields } = watch.head?.({
    status: 302,
    fields: [
      ['Location', `https://elsewhere.test/?t=${encodeURIComponent(token.value)}`],
      ['X-Echo', `Bearer ${token.value}`],
      ['X-Basic', Buffer.from(`u:${token.value}`).toString('base64')],
      ['x-tok', 'kept'],
      ['Set-Cookie', 'session=1; Domain=thing.test'],
    ],
  }) ?? { fields: [] }
  expect(fields?.map(([name]) => name)).toEqual(['Location', 'X-Echo', 'X-Basic', 'x-tok'])
  expect(leaks(JSON.stringify(fields))).toEqual([])
  expect(fields?.[1]?.[1]).toBe(`Bearer ${token.placeholder}`)
  expect(uses.filter(([, , what]) => what === 'echoed')).toEqual([['TOKEN', 'api.thing.test', 'echoed']])
})

describe('what programs escape of a value, each in its own way, hides nothing', () => {
  const odd = { name: 'ODD', value: 'tok_A1b2&E5<f6"G7\'h8+9/0=z z\\y', placeholder: 'mdl_GRey&AB<h7"5E\'yp+5/9=m m\\x' }
  const by =
    (set: RegExp, write: (code: number) => string) =>
    (text: string): string =>
      text.replace(set, (char) => write(char.charCodeAt(0)))
  const hex = (code: number): string => code.toString(16)
  const ways: readonly (readonly [string, (text: string) => string])[] = [
    ['encodeURIComponent', encodeURIComponent],
    ['encodeURI', encodeURI],
    ['a slash that stays', (text) => encodeURIComponent(text).replaceAll('%2F', '/')],
    ['HTML of Go', by(/[&<>"'+]/g, (code) => `&#${code};`)],
    ['HTML of Python', (text) => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('"', '&quot;').replaceAll("'", '&#x27;')],
    ['HTML of PHP', (text) => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('"', '&quot;').replaceAll("'", '&#039;')],
    ['HTML of templates', by(/[&<>"'+=/`]/g, (code) => `&#x${hex(code).toUpperCase()};`)],
    ['HTML twice', by(/[<>"']/g, (code) => `&amp;#${code};`)],
    ['JSON of Go', (text) => by(/[&<>]/g, (code) => `\\u00${hex(code)}`)(JSON.stringify(text))],
    ['JSON of .NET', (text) => by(/[&<>"'+`]/g, (code) => `\\u00${hex(code).toUpperCase()}`)(text.replaceAll('\\', '\\\\'))],
    ['JSON of PHP', (text) => JSON.stringify(text).replaceAll('/', '\\/')],
    ['every character', by(/[^]/g, (code) => `%${hex(code)}`)],
    ['encoders that leave letters and digits alone', by(/[^A-Za-z0-9]/g, (code) => `%${hex(code)}`)],
    ['HTML of encoders for attributes', by(/[^A-Za-z0-9]/g, (code) => `&#x${hex(code)};`)],
    ['JSON that escapes whatever is no letter', by(/[^A-Za-z0-9]/g, (code) => `\\u00${hex(code)}`)],
    ['Markdown', (text) => text.replaceAll(/[_&<>"'+/=\\]/g, '\\$&')],
    ['quoted-printable', by(/[=_ ]/g, (code) => `=${hex(code).toUpperCase()}`)],
    ['UTF-16', (text) => Buffer.from(text, 'utf16le').toString('latin1')],
  ]
  it.each(ways)('%s', async (_way, escape) => {
    const text = `before ${escape(odd.value)} after`
    const { watch } = await ask([held(odd)], {})
    for (let cut = 1; cut < text.length; cut++) {
      const through = watch?.head?.({ status: 200, fields: [] }).through
      if (through === undefined) throw new Error('the body is not searched')
      const done = buffer(through)
      through.write(Buffer.from(text.slice(0, cut), 'latin1'))
      through.end(Buffer.from(text.slice(cut), 'latin1'))
      expect((await done).toString('latin1')).toBe(`before ${escape(odd.placeholder)} after`)
    }
    const field = watch?.head?.({ status: 200, fields: [['Location', `https://x.test/?t=${text}`]] }).fields?.[0]?.[1]
    expect(field).toBe(`https://x.test/?t=before ${escape(odd.placeholder)} after`)
  })

  it('and what begins like one and is none stays', async () => {
    const { watch } = await ask([held(odd)], {})
    const through = watch?.head?.({ status: 200, fields: [] }).through
    const text = 'tok_A1b2&amp;E5&lt;f7 tok_A1b2&E5 tok_A1b2 tok_A1b2%26E5%3Cf6%22'
    const done = buffer(through ?? process.stdin)
    through?.end(text)
    expect((await done).toString()).toBe(text)
  })
})

describe('nothing waits that could not be the beginning of a value', () => {
  it('an event of a stream goes on at once, whole', () => {
    const scrubber = makeScrubber({ needles: needlesOf(token.value, token.placeholder), spelled: [] }, () => undefined)
    for (const event of ['data: {"a":1}\n\n', ': ping\n\n', 'event: stop\ndata: {}\n\n'])
      expect(scrubber.push(Buffer.from(event)).toString()).toBe(event)
    expect(scrubber.push(Buffer.from('data: tok_')).toString()).toBe('data: ')
    expect(scrubber.push(Buffer.from('en\n')).toString()).toBe('tok_en\n')
  })

  it('any text in any pieces comes out as it would in one, and holds no more than one value', () => {
    const needles = { needles: needlesOf('abab-abac', 'XXXX-XXXX'), spelled: [] }
    const whole = (text: string): string => {
      const scrubber = makeScrubber(needles, () => undefined)
      return scrubber.push(Buffer.from(text)).toString() + scrubber.end().toString()
    }
    fc.assert(
      fc.property(
        fc.array(fc.string({ unit: fc.constantFrom('a', 'b', '-', 'c', 'abab-abac'), maxLength: 6 }), { maxLength: 12 }),
        (pieces) => {
          const scrubber = makeScrubber(needles, () => undefined)
          let came = ''
          let sent = 0
          for (const piece of pieces) {
            came += scrubber.push(Buffer.from(piece)).toString()
            sent += piece.length
            expect(sent - came.length).toBeLessThan(40)
          }
          came += scrubber.end().toString()
          expect(came).toBe(whole(pieces.join('')))
          expect(came).not.toContain('abab-abac')
        },
      ),
      { numRuns: 2_000 },
    )
  })
})

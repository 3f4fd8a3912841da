;; Reads and skips JSON (RFC 8259, strict) in a window of the text. `json-kernel.ts` loads the windows and calls the exports.
;; Vectors compare 16 bytes of a string at a time. The text is UTF-8, which the caller has checked.
;; After a change: `node scripts/build-kernels.mjs`.
;;
;; Memory: 0 position, 4 mode, 8 number of open brackets (i32 each). From 16: one byte per open bracket, 1 for an object.
;; From 544: the last short text that was not found. From 1024: 256 short texts of 16 bytes, padded with zeros. From 5120: the
;; window. At least 80 bytes of the memory follow it, because a load can reach beyond its end.
;;
;; Events of streams have a module of their own: V8 inlines less in a larger module, which made a scan 40 % slower.
(module
  (memory (export "memory") 2)

  ;; Modes. The next token is:
  ;; 0 a value, 1 a value or "]", 2 a key or "}", 3 a key, 4 ":", 5 "," or a closing bracket,
  ;; 6 the rest of a string that is a value, 7 the rest of a string that is a key.

  ;; True for 0-9.
  (func $isDigit (param $byte i32) (result i32)
    (i32.lt_u (i32.sub (local.get $byte) (i32.const 0x30)) (i32.const 10)))

  ;; True if the four bytes at $at are hexadecimal digits.
  (func $isHex (param $at i32) (result i32)
    (local $bytes v128)
    (local.set $bytes (v128.load32_zero align=1 (local.get $at)))
    (i32.eq
      (i32.and
        (i8x16.bitmask
          (v128.or
            (i8x16.le_u
              (i8x16.sub (local.get $bytes) (i8x16.splat (i32.const 0x30)))
              (i8x16.splat (i32.const 9)))
            (i8x16.le_u
              (i8x16.sub
                (v128.or (local.get $bytes) (i8x16.splat (i32.const 0x20)))
                (i8x16.splat (i32.const 0x61)))
              (i8x16.splat (i32.const 5)))))
        (i32.const 15))
      (i32.const 15)))

  ;; True for the byte after a backslash: one of "\/bfnrt.
  (func $isSimpleEscape (param $byte i32) (result i32)
    (if (result i32) (i32.eq (i32.and (local.get $byte) (i32.const 0xe0)) (i32.const 0x60))
      (then ;; Bits of b, f, n, r and t, counted from 0x60.
        (i32.and
          (i32.shr_u (i32.const 0x144044) (i32.and (local.get $byte) (i32.const 31)))
          (i32.const 1)))
      (else
        (i32.or
          (i32.or
            (i32.eq (local.get $byte) (i32.const 0x22))
            (i32.eq (local.get $byte) (i32.const 0x5c)))
          (i32.eq (local.get $byte) (i32.const 0x2f))))))

  ;; Address after the digits from $at.
  (func $afterDigits (param $at i32) (param $end i32) (result i32)
    (block $done
      (loop $digit
        (br_if $done (i32.ge_u (local.get $at) (local.get $end)))
        (br_if $done (i32.eqz (call $isDigit (i32.load8_u (local.get $at)))))
        (local.set $at (i32.add (local.get $at) (i32.const 1)))
        (br $digit)))
    (local.get $at))

  ;; Address after a number. 0: no number. $end: the number may continue in the next window.
  (func $afterNumber (param $at i32) (param $end i32) (result i32)
    (local $start i32)
    (if (i32.eq (i32.load8_u (local.get $at)) (i32.const 0x2d)) ;; -
      (then (local.set $at (i32.add (local.get $at) (i32.const 1)))))
    (if (i32.ge_u (local.get $at) (local.get $end)) (then (return (local.get $end))))
    (local.set $start (local.get $at))
    (if (i32.eq (i32.load8_u (local.get $at)) (i32.const 0x30)) ;; 0
      (then (local.set $at (i32.add (local.get $at) (i32.const 1))))
      (else
        (local.set $at (call $afterDigits (local.get $at) (local.get $end)))
        (if (i32.eq (local.get $at) (local.get $start)) (then (return (i32.const 0))))))
    (if (i32.ge_u (local.get $at) (local.get $end)) (then (return (local.get $end))))
    (if (i32.eq (i32.load8_u (local.get $at)) (i32.const 0x2e)) ;; .
      (then
        (local.set $start (i32.add (local.get $at) (i32.const 1)))
        (local.set $at (call $afterDigits (local.get $start) (local.get $end)))
        (if (i32.ge_u (local.get $at) (local.get $end)) (then (return (local.get $end))))
        (if (i32.eq (local.get $at) (local.get $start)) (then (return (i32.const 0))))))
    (if (i32.eq (i32.or (i32.load8_u (local.get $at)) (i32.const 0x20)) (i32.const 0x65)) ;; e or E
      (then
        (local.set $start (i32.add (local.get $at) (i32.const 1)))
        (if (i32.ge_u (local.get $start) (local.get $end)) (then (return (local.get $end))))
        (if
          (i32.or
            (i32.eq (i32.load8_u (local.get $start)) (i32.const 0x2b))
            (i32.eq (i32.load8_u (local.get $start)) (i32.const 0x2d)))
          (then (local.set $start (i32.add (local.get $start) (i32.const 1)))))
        (local.set $at (call $afterDigits (local.get $start) (local.get $end)))
        (if (i32.ge_u (local.get $at) (local.get $end)) (then (return (local.get $end))))
        (if (i32.eq (local.get $at) (local.get $start)) (then (return (i32.const 0))))))
    (local.get $at))

  ;; One bit per byte: a quote, a backslash or a control character. The XOR moves the quote next to the control
  ;; characters, so that one comparison finds both.
  (func $specialBytes (param $bytes v128) (result i32)
    (i8x16.bitmask
      (v128.or
        (i8x16.le_u
          (v128.xor (local.get $bytes) (i8x16.splat (i32.const 2)))
          (i8x16.splat (i32.const 0x20)))
        (i8x16.eq (local.get $bytes) (i8x16.splat (i32.const 0x5c))))))

  ;; Like $specialBytes, for the 64 bytes at $at.
  (func $specialBytesOfBlock (param $at i32) (result i64)
    (i64.or
      (i64.or
        (i64.extend_i32_u (call $specialBytes (v128.load align=1 (local.get $at))))
        (i64.shl
          (i64.extend_i32_u (call $specialBytes (v128.load offset=16 align=1 (local.get $at))))
          (i64.const 16)))
      (i64.or
        (i64.shl
          (i64.extend_i32_u (call $specialBytes (v128.load offset=32 align=1 (local.get $at))))
          (i64.const 32))
        (i64.shl
          (i64.extend_i32_u (call $specialBytes (v128.load offset=48 align=1 (local.get $at))))
          (i64.const 48)))))

  ;; Address after the escape at $at. 0: the escape is unknown, broken or not whole before $end.
  (func $afterEscape (param $at i32) (param $end i32) (result i32)
    (local $next i32)
    (if (i32.ge_u (i32.add (local.get $at) (i32.const 1)) (local.get $end))
      (then (return (i32.const 0))))
    (local.set $next (i32.load8_u offset=1 (local.get $at)))
    (if (call $isSimpleEscape (local.get $next))
      (then (return (i32.add (local.get $at) (i32.const 2)))))
    (if (i32.ne (local.get $next) (i32.const 0x75)) (then (return (i32.const 0)))) ;; u
    (if (i32.gt_u (i32.add (local.get $at) (i32.const 6)) (local.get $end))
      (then (return (i32.const 0))))
    (if (call $isHex (i32.add (local.get $at) (i32.const 2)))
      (then (return (i32.add (local.get $at) (i32.const 6)))))
    (i32.const 0))

  ;; Address of the quote that ends a string. Also the first control character, incomplete escape or unknown escape.
  ;; $end: the string continues in the next window.
  (func $endOfString (param $at i32) (param $end i32) (result i32)
    (local $special i64)
    (local $found i32)
    (local $next i32)
    ;; Most strings are short.
    (local.set $special
      (i64.extend_i32_u (call $specialBytes (v128.load align=1 (local.get $at)))))
    (if (i64.eqz (local.get $special))
      (then (local.set $at (i32.add (local.get $at) (i32.const 16))))
      (else
        (local.set $found
          (i32.add (local.get $at) (i32.wrap_i64 (i64.ctz (local.get $special)))))
        (if (i32.ge_u (local.get $found) (local.get $end)) (then (return (local.get $end))))
        (if (i32.eq (i32.load8_u (local.get $found)) (i32.const 0x22))
          (then (return (local.get $found))))))
    (local.set $special (call $specialBytesOfBlock (local.get $at)))
    (loop $block
      (if (i64.eqz (local.get $special))
        (then
          (local.set $at (i32.add (local.get $at) (i32.const 64)))
          (if (i32.ge_u (local.get $at) (local.get $end)) (then (return (local.get $end))))
          (local.set $special (call $specialBytesOfBlock (local.get $at)))
          (br $block)))
      (local.set $found
        (i32.add (local.get $at) (i32.wrap_i64 (i64.ctz (local.get $special)))))
      (if (i32.ge_u (local.get $found) (local.get $end)) (then (return (local.get $end))))
      (if (i32.ne (i32.load8_u (local.get $found)) (i32.const 0x5c))
        (then (return (local.get $found))))
      (loop $escape ;; Often several escapes follow each other.
        (local.set $next (call $afterEscape (local.get $found) (local.get $end)))
        (if (i32.eqz (local.get $next)) (then (return (local.get $found))))
        (local.set $found (local.get $next))
        (br_if $escape (i32.eq (i32.load8_u (local.get $found)) (i32.const 0x5c))))
      ;; Removes the bytes of the escape from the block.
      (local.set $found (i32.sub (local.get $next) (local.get $at)))
      (local.set $special
        (i64.and
          (local.get $special)
          (i64.shl (i64.const -1) (i64.extend_i32_u (local.get $found)))))
      (if (i32.ge_u (local.get $found) (i32.const 64))
        (then
          (local.set $at (local.get $next))
          (local.set $special (call $specialBytesOfBlock (local.get $at)))))
      (br $block))
    (unreachable))

  ;; Address of the first byte from $at that is no white space. Can be $end.
  (func $afterSpace (param $at i32) (param $end i32) (result i32)
    (local $byte i32)
    (block $done
      (loop $space
        (br_if $done (i32.ge_u (local.get $at) (local.get $end)))
        (local.set $byte (i32.load8_u (local.get $at)))
        (br_if $done (i32.gt_u (local.get $byte) (i32.const 0x20)))
        (br_if $done
          (i32.eqz
            (i32.or
              (i32.or
                (i32.eq (local.get $byte) (i32.const 0x20))
                (i32.eq (local.get $byte) (i32.const 0x09)))
              (i32.or
                (i32.eq (local.get $byte) (i32.const 0x0a))
                (i32.eq (local.get $byte) (i32.const 0x0d))))))
        (local.set $at (i32.add (local.get $at) (i32.const 1)))
        (br $space)))
    (local.get $at))

  ;; Finds the string at $at, if it has at most 15 bytes and no escape, among the short texts. Returns its number, plus 256
  ;; if it is not there. Stores the position after it, and a text that was not found. Returns -1 for all else.
  (func $readText (export "readText") (param $at i32) (param $end i32) (result i32)
    (local $bytes v128)
    (local $length i32)
    (local $slot i32)
    (local $after i32)
    (if (i32.ge_u (local.get $at) (local.get $end)) (then (return (i32.const -1))))
    (if (i32.ne (i32.load8_u (local.get $at)) (i32.const 0x22)) (then (return (i32.const -1))))
    (local.set $bytes (v128.load offset=1 align=1 (local.get $at)))
    (local.set $length (i32.ctz (call $specialBytes (local.get $bytes)))) ;; 32 if there is none.
    (local.set $after (i32.add (local.get $at) (i32.add (local.get $length) (i32.const 2))))
    (if (i32.gt_u (local.get $after) (local.get $end)) (then (return (i32.const -1))))
    (if (i32.gt_u (local.get $length) (i32.const 15)) (then (return (i32.const -1))))
    (if (i32.ne (i32.load8_u (i32.sub (local.get $after) (i32.const 1))) (i32.const 0x22))
      (then (return (i32.const -1))))
    (local.set $bytes
      (v128.and
        (local.get $bytes)
        (i8x16.lt_u
          (v128.const i8x16 0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15)
          (i8x16.splat (local.get $length)))))
    (local.set $slot
      (i32.wrap_i64
        (i64.shr_u
          (i64.mul
            (i64.xor
              (i64x2.extract_lane 0 (local.get $bytes))
              (i64.mul (i64x2.extract_lane 1 (local.get $bytes)) (i64.const 0x9e3779b97f4a7c15)))
            (i64.const 0xd6e8feb86659fd93))
          (i64.const 56))))
    (i32.store (i32.const 0) (local.get $after))
    (local.set $after (i32.shl (local.get $slot) (i32.const 4)))
    (if
      (i8x16.all_true
        (i8x16.eq (local.get $bytes) (v128.load offset=1024 (local.get $after))))
      (then (return (local.get $slot))))
    (v128.store (i32.const 544) (local.get $bytes))
    (i32.add (local.get $slot) (i32.const 256)))

  ;; Reads from $at to the value of the next key of an object. $isFirst: no value precedes. Returns like `readText`, or -2
  ;; after "}". Stores the position.
  (func (export "readKey") (param $at i32) (param $end i32) (param $isFirst i32) (result i32)
    (local $text i32)
    (local.set $at (call $afterSpace (local.get $at) (local.get $end)))
    (if (i32.ge_u (local.get $at) (local.get $end)) (then (return (i32.const -1))))
    (if (i32.eq (i32.load8_u (local.get $at)) (i32.const 0x7d))
      (then
        (i32.store (i32.const 0) (i32.add (local.get $at) (i32.const 1)))
        (return (i32.const -2))))
    (if (i32.eqz (local.get $isFirst))
      (then
        (if (i32.ne (i32.load8_u (local.get $at)) (i32.const 0x2c)) (then (return (i32.const -1))))
        (local.set $at
          (call $afterSpace (i32.add (local.get $at) (i32.const 1)) (local.get $end)))))
    (local.set $text (call $readText (local.get $at) (local.get $end)))
    (if (i32.lt_s (local.get $text) (i32.const 0)) (then (return (local.get $text))))
    (local.set $at (call $afterSpace (i32.load (i32.const 0)) (local.get $end)))
    (if (i32.ge_u (local.get $at) (local.get $end)) (then (return (i32.const -1))))
    (if (i32.ne (i32.load8_u (local.get $at)) (i32.const 0x3a)) (then (return (i32.const -1))))
    (i32.store (i32.const 0)
      (call $afterSpace (i32.add (local.get $at) (i32.const 1)) (local.get $end)))
    (local.get $text))

  ;; Skips from address $at in $mode, with $open open brackets of at most $room. Returns 0: the value ended, 1: the
  ;; window ended first, 2: an error, or an escape that the end of the window cuts. Stores position, mode and open brackets.
  (func (export "skip")
    (param $at i32) (param $end i32) (param $mode i32) (param $open i32) (param $room i32) (result i32)
    (local $byte i32)
    (local $next i32)
    (local $result i32)
    (local.set $result (i32.const 2))
    (block $stop
      (loop $token
        (block $ended
          (if (i32.lt_u (local.get $mode) (i32.const 6))
            (then
              (if (i32.eq (local.get $mode) (i32.const 5))
                (then
                  (if (i32.eqz (local.get $open))
                    (then
                      (local.set $result (i32.const 0))
                      (br $stop)))))
              (local.set $at (call $afterSpace (local.get $at) (local.get $end)))
              (br_if $ended (i32.ge_u (local.get $at) (local.get $end)))
              (local.set $byte (i32.load8_u (local.get $at)))))
          (block $string
          (block $after
          (block $colon
          (block $key
          (block $keyOrClose
          (block $valueOrClose
          (block $value
            (br_table $value $valueOrClose $keyOrClose $key $colon $after $string (local.get $mode)))
          ;; $value
          (if (i32.eq (local.get $byte) (i32.const 0x22))
            (then
              (local.set $at (i32.add (local.get $at) (i32.const 1)))
              (local.set $mode (i32.const 6))
              (br $token)))
          (if (i32.eq (i32.or (local.get $byte) (i32.const 0x20)) (i32.const 0x7b)) ;; { or [
            (then
              (br_if $stop (i32.ge_u (local.get $open) (local.get $room)))
              (local.set $open (i32.add (local.get $open) (i32.const 1)))
              (local.set $next (i32.eq (local.get $byte) (i32.const 0x7b)))
              (i32.store8 offset=16 (local.get $open) (local.get $next))
              (local.set $at (i32.add (local.get $at) (i32.const 1)))
              (local.set $mode (i32.add (local.get $next) (i32.const 1)))
              (br $token)))
          (local.set $mode (i32.const 5))
          (local.set $next (i32.add (local.get $at) (i32.const 4)))
          (if (i32.eq (local.get $byte) (i32.const 0x74))
            (then
              (if (i32.le_u (local.get $next) (local.get $end))
                (then
                  (br_if $stop (i32.ne (i32.load (local.get $at)) (i32.const 0x65757274))) ;; true
                  (local.set $at (local.get $next))
                  (br $token)))))
          (if (i32.eq (local.get $byte) (i32.const 0x6e))
            (then
              (if (i32.le_u (local.get $next) (local.get $end))
                (then
                  (br_if $stop (i32.ne (i32.load (local.get $at)) (i32.const 0x6c6c756e))) ;; null
                  (local.set $at (local.get $next))
                  (br $token)))))
          (if (i32.eq (local.get $byte) (i32.const 0x66))
            (then
              (local.set $next (i32.add (local.get $at) (i32.const 5)))
              (if (i32.le_u (local.get $next) (local.get $end))
                (then
                  (br_if $stop (i32.ne (i32.load offset=1 (local.get $at)) (i32.const 0x65736c61))) ;; alse
                  (local.set $at (local.get $next))
                  (br $token)))))
          (local.set $mode (i32.const 0))
          (if (i32.ge_u (local.get $byte) (i32.const 0x61)) ;; A literal that the end of the window cuts.
            (then
              (br_if $ended (i32.gt_u (local.get $next) (local.get $end)))
              (br $stop)))
          (local.set $next (call $afterNumber (local.get $at) (local.get $end)))
          (br_if $stop (i32.eqz (local.get $next)))
          (br_if $ended (i32.eq (local.get $next) (local.get $end)))
          (local.set $at (local.get $next))
          (local.set $mode (i32.const 5))
          (br $token))
          ;; $valueOrClose
          (if (i32.eq (local.get $byte) (i32.const 0x5d))
            (then
              (local.set $at (i32.add (local.get $at) (i32.const 1)))
              (local.set $open (i32.sub (local.get $open) (i32.const 1)))
              (local.set $mode (i32.const 5))
              (br $token)))
          (local.set $mode (i32.const 0))
          (br $token))
          ;; $keyOrClose
          (if (i32.eq (local.get $byte) (i32.const 0x7d))
            (then
              (local.set $at (i32.add (local.get $at) (i32.const 1)))
              (local.set $open (i32.sub (local.get $open) (i32.const 1)))
              (local.set $mode (i32.const 5))
              (br $token))))
          ;; $key
          (br_if $stop (i32.ne (local.get $byte) (i32.const 0x22)))
          (local.set $at (i32.add (local.get $at) (i32.const 1)))
          (local.set $mode (i32.const 7))
          (br $token))
          ;; $colon
          (br_if $stop (i32.ne (local.get $byte) (i32.const 0x3a)))
          (local.set $at (i32.add (local.get $at) (i32.const 1)))
          (local.set $mode (i32.const 0))
          (br $token))
          ;; $after
          (local.set $next (i32.load8_u offset=16 (local.get $open)))
          (if (i32.eq (local.get $byte) (i32.const 0x2c))
            (then
              (local.set $at (i32.add (local.get $at) (i32.const 1)))
              (local.set $mode (i32.mul (local.get $next) (i32.const 3)))
              ;; Shortcut for a string after the comma: 6 or 7.
              (br_if $token (i32.ge_u (local.get $at) (local.get $end)))
              (br_if $token (i32.ne (i32.load8_u (local.get $at)) (i32.const 0x22)))
              (local.set $at (i32.add (local.get $at) (i32.const 1)))
              (local.set $mode (i32.add (i32.const 6) (local.get $next)))
              (br $token)))
          (br_if $stop
            (i32.ne
              (local.get $byte)
              (i32.or (i32.const 0x5d) (i32.shl (local.get $next) (i32.const 5))))) ;; ] or }
          (local.set $at (i32.add (local.get $at) (i32.const 1)))
          (local.set $open (i32.sub (local.get $open) (i32.const 1)))
          (br $token))
          ;; $string
          (local.set $at (call $endOfString (local.get $at) (local.get $end)))
          (br_if $ended (i32.eq (local.get $at) (local.get $end)))
          (br_if $stop (i32.ne (i32.load8_u (local.get $at)) (i32.const 0x22)))
          (local.set $at (i32.add (local.get $at) (i32.const 1)))
          (local.set $mode (i32.sub (i32.const 11) (local.get $mode))) ;; 6 becomes 5, 7 becomes 4.
          ;; Shortcut for `":"` between a key and a string.
          (br_if $token (i32.eq (local.get $mode) (i32.const 5)))
          (br_if $token (i32.ge_u (i32.add (local.get $at) (i32.const 1)) (local.get $end)))
          (br_if $token (i32.ne (i32.load16_u align=1 (local.get $at)) (i32.const 0x223a)))
          (local.set $at (i32.add (local.get $at) (i32.const 2)))
          (local.set $mode (i32.const 6))
          (br $token))
        (local.set $result (i32.const 1))))
    (i32.store (i32.const 0) (local.get $at))
    (i32.store (i32.const 4) (local.get $mode))
    (i32.store (i32.const 8) (local.get $open))
    (local.get $result)))

;; Skips events of a stream that differ only in one JSON string. `event-kernel.ts` loads the bytes and calls the export.
;; After a change: `node scripts/build-kernels.mjs`.
;;
;; Memory: 0 position, 4 text bytes (i32 each). From 128: 32 beginnings of events of 128 bytes. From 4352: the bytes. At least
;; 16 bytes of the memory follow them, because a load can reach beyond their end.
(module
  (memory (export "memory") 1)

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

  ;; One bit per byte: a quote, a backslash or a control character. The XOR moves the quote next to the control
  ;; characters, so that one comparison finds both.
  (func $specialBytes (param $bytes v128) (result i32)
    (i8x16.bitmask
      (v128.or
        (i8x16.le_u
          (v128.xor (local.get $bytes) (i8x16.splat (i32.const 2)))
          (i8x16.splat (i32.const 0x20)))
        (i8x16.eq (local.get $bytes) (i8x16.splat (i32.const 0x5c))))))

  ;; True if the bytes at $at equal the $length bytes at $prefix. $length is at least 16.
  (func $startsWith (param $at i32) (param $prefix i32) (param $length i32) (result i32)
    (local $done i32)
    (local $last i32)
    (local.set $last (i32.sub (local.get $length) (i32.const 16)))
    (loop $block
      (if (i32.ge_u (local.get $done) (local.get $last)) ;; The last block overlaps the one before.
        (then (local.set $done (local.get $last))))
      (if
        (i32.eqz
          (i8x16.all_true
            (i8x16.eq
              (v128.load align=1 (i32.add (local.get $at) (local.get $done)))
              (v128.load align=1 (i32.add (local.get $prefix) (local.get $done))))))
        (then (return (i32.const 0))))
      (if (i32.eq (local.get $done) (local.get $last)) (then (return (i32.const 1))))
      (local.set $done (i32.add (local.get $done) (i32.const 16)))
      (br $block))
    (unreachable))

  ;; Address after spaces and one $byte. 0: another byte, or the window ends.
  (func $afterSpacesAnd (param $at i32) (param $end i32) (param $byte i32) (result i32)
    (loop $space
      (if (i32.ge_u (local.get $at) (local.get $end)) (then (return (i32.const 0))))
      (if (i32.eq (i32.load8_u (local.get $at)) (i32.const 0x20))
        (then
          (local.set $at (i32.add (local.get $at) (i32.const 1)))
          (br $space))))
    (if (i32.ne (i32.load8_u (local.get $at)) (local.get $byte)) (then (return (i32.const 0))))
    (i32.add (local.get $at) (i32.const 1)))

  ;; Skips events of a stream that begin with the $length bytes at $prefix. The rest of a string follows, with simple
  ;; escapes only, then two closing brackets and a blank line. Stores the position after the last one, and the sum of the
  ;; bytes of all strings, in which an escape counts as one byte.
  (func (export "skipEvents")
    (param $at i32) (param $end i32) (param $prefix i32) (param $length i32)
    (local $next i32)
    (local $special i32)
    (local $bytes i32)
    (local $sum i32)
    (block $stop
      (loop $event
        (local.set $next (i32.add (local.get $at) (local.get $length)))
        (br_if $stop (i32.ge_u (local.get $next) (local.get $end)))
        (br_if $stop
          (i32.eqz (call $startsWith (local.get $at) (local.get $prefix) (local.get $length))))
        (local.set $bytes (i32.sub (i32.const 0) (local.get $next)))
        (loop $search
          (br_if $stop (i32.ge_u (local.get $next) (local.get $end)))
          (local.set $special (call $specialBytes (v128.load align=1 (local.get $next))))
          (if (i32.eqz (local.get $special))
            (then
              (local.set $next (i32.add (local.get $next) (i32.const 16)))
              (br $search)))
          (local.set $next (i32.add (local.get $next) (i32.ctz (local.get $special))))
          (br_if $stop (i32.ge_u (local.get $next) (local.get $end)))
          (if (i32.eq (i32.load8_u (local.get $next)) (i32.const 0x5c))
            (then
              (local.set $next (i32.add (local.get $next) (i32.const 2)))
              (br_if $stop (i32.gt_u (local.get $next) (local.get $end)))
              (br_if $stop
                (i32.eqz
                  (call $isSimpleEscape
                    (i32.load8_u (i32.sub (local.get $next) (i32.const 1))))))
              (local.set $bytes (i32.sub (local.get $bytes) (i32.const 1)))
              (br $search))))
        (br_if $stop (i32.ne (i32.load8_u (local.get $next)) (i32.const 0x22)))
        (local.set $bytes (i32.add (local.get $bytes) (local.get $next)))
        (local.set $next (i32.add (local.get $next) (i32.const 1)))
        (local.set $next (call $afterSpacesAnd (local.get $next) (local.get $end) (i32.const 0x7d)))
        (br_if $stop (i32.eqz (local.get $next)))
        (local.set $next (call $afterSpacesAnd (local.get $next) (local.get $end) (i32.const 0x7d)))
        (br_if $stop (i32.eqz (local.get $next)))
        (local.set $next (call $afterSpacesAnd (local.get $next) (local.get $end) (i32.const 0x0a)))
        (br_if $stop (i32.eqz (local.get $next)))
        (br_if $stop (i32.ge_u (local.get $next) (local.get $end)))
        (br_if $stop (i32.ne (i32.load8_u (local.get $next)) (i32.const 0x0a)))
        (local.set $at (i32.add (local.get $next) (i32.const 1)))
        (local.set $sum (i32.add (local.get $sum) (local.get $bytes)))
        (br $event)))
    (i32.store (i32.const 0) (local.get $at))
    (i32.store (i32.const 4) (local.get $sum))))

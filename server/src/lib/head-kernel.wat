;; Finds the fields of a usual head of HTTP/1.1. `head-kernel.ts` loads the bytes and calls the export.
;; After a change: `node scripts/build-kernels.mjs`.
;;
;; Memory: from 0 the positions (i32 each, counted from the first byte), at most 1001. From 4352: the bytes. At least 16 bytes
;; of the memory follow them, because a load can reach beyond their end.
(module
  (memory (export "memory") 1)

  ;; Address of the first byte from $at that is no letter, digit or hyphen. Can be beyond the end. Stores the letters before
  ;; it in lower case.
  (func $afterName (param $at i32) (param $end i32) (result i32)
    (local $bytes v128)
    (local $upper v128)
    (local $others i32)
    (loop $block
      (local.set $bytes (v128.load align=1 (local.get $at)))
      (local.set $others
        (i32.xor
          (i32.const 0xffff)
          (i8x16.bitmask
            (v128.or
              (v128.or
                (i8x16.lt_u
                  (i8x16.sub
                    (v128.or (local.get $bytes) (i8x16.splat (i32.const 0x20)))
                    (i8x16.splat (i32.const 0x61)))
                  (i8x16.splat (i32.const 26)))
                (i8x16.lt_u
                  (i8x16.sub (local.get $bytes) (i8x16.splat (i32.const 0x30)))
                  (i8x16.splat (i32.const 10))))
              (i8x16.eq (local.get $bytes) (i8x16.splat (i32.const 0x2d)))))))
      (local.set $upper
        (v128.and
          (i8x16.lt_u
            (i8x16.sub (local.get $bytes) (i8x16.splat (i32.const 0x41)))
            (i8x16.splat (i32.const 26)))
          (i8x16.lt_u ;; Only bytes of the name. Without another byte in the block, the count is 32.
            (v128.const i8x16 0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15)
            (i8x16.splat (i32.ctz (local.get $others))))))
      (if (v128.any_true (local.get $upper))
        (then
          (v128.store align=1
            (local.get $at)
            (v128.or
              (local.get $bytes)
              (v128.and (local.get $upper) (i8x16.splat (i32.const 0x20)))))))
      (if (local.get $others)
        (then (return (i32.add (local.get $at) (i32.ctz (local.get $others))))))
      (local.set $at (i32.add (local.get $at) (i32.const 16)))
      (br_if $block (i32.lt_u (local.get $at) (local.get $end))))
    (local.get $at))

  ;; Address of the first control character from $at. Can be beyond the end.
  (func $afterValue (param $at i32) (param $end i32) (result i32)
    (local $bytes v128)
    (local $controls i32)
    (loop $block
      (local.set $bytes (v128.load align=1 (local.get $at)))
      (local.set $controls
        (i8x16.bitmask
          (v128.or
            (i8x16.lt_u (local.get $bytes) (i8x16.splat (i32.const 0x20)))
            (i8x16.eq (local.get $bytes) (i8x16.splat (i32.const 0x7f))))))
      (if (local.get $controls)
        (then (return (i32.add (local.get $at) (i32.ctz (local.get $controls))))))
      (local.set $at (i32.add (local.get $at) (i32.const 16)))
      (br_if $block (i32.lt_u (local.get $at) (local.get $end))))
    (local.get $at))

  ;; Stores the start of each name and of each value, and then the end of the last line. Names get lower case. Returns the
  ;; number of positions. 0: the head is incomplete, has a line that is not "name: value" in its shortest form, or
  ;; has too many lines.
  (func (export "findFields")
    (param $start i32) (param $at i32) (param $end i32) (param $most i32) (result i32)
    (local $count i32)
    (local $value i32)
    (local $next i32)
    (loop $line
      (local.set $next (call $afterName (local.get $at) (local.get $end)))
      (if (i32.gt_u (i32.add (local.get $next) (i32.const 2)) (local.get $end))
        (then (return (i32.const 0))))
      (i32.store
        (i32.shl (local.get $count) (i32.const 2))
        (i32.sub (local.get $at) (local.get $start)))
      (if (i32.eq (local.get $next) (local.get $at)) ;; The empty line: CR and LF.
        (then
          (return
            (select
              (i32.add (local.get $count) (i32.const 1))
              (i32.const 0)
              (i32.eq (i32.load16_u align=1 (local.get $at)) (i32.const 0x0a0d))))))
      (if (i32.ne (i32.load16_u align=1 (local.get $next)) (i32.const 0x203a)) ;; A colon and a space.
        (then (return (i32.const 0))))
      (local.set $value (i32.add (local.get $next) (i32.const 2)))
      (local.set $next (call $afterValue (local.get $value) (local.get $end)))
      (if (i32.gt_u (i32.add (local.get $next) (i32.const 2)) (local.get $end))
        (then (return (i32.const 0))))
      (if (i32.ne (i32.load16_u align=1 (local.get $next)) (i32.const 0x0a0d))
        (then (return (i32.const 0))))
      (if (i32.gt_u (local.get $next) (local.get $value)) ;; No space around the value.
        (then
          (if
            (i32.or
              (i32.eq (i32.load8_u (local.get $value)) (i32.const 0x20))
              (i32.eq
                (i32.load8_u (i32.sub (local.get $next) (i32.const 1)))
                (i32.const 0x20)))
            (then (return (i32.const 0))))))
      (i32.store offset=4
        (i32.shl (local.get $count) (i32.const 2))
        (i32.sub (local.get $value) (local.get $start)))
      (local.set $count (i32.add (local.get $count) (i32.const 2)))
      (local.set $at (i32.add (local.get $next) (i32.const 2)))
      (br_if $line (i32.lt_u (local.get $count) (local.get $most))))
    (i32.const 0)))

package wire

import (
	"strconv"
	"unicode/utf8"
	"unsafe"

	"qcat/core"
)

const hexDigits = "0123456789abcdef"

// AppendString appends s as a JSON string. Bytes that are not UTF-8 become
// U+FFFD, as in encoding/json.
func AppendString(dst []byte, s string) []byte {
	dst = append(dst, '"')
	dst = appendEscaped(dst, s)
	return append(dst, '"')
}

// appendEscaped appends the inside of a JSON string.
func appendEscaped(dst []byte, s string) []byte {
	for i := 0; i < len(s); {
		c := s[i]
		if c >= utf8.RuneSelf {
			r, n := utf8.DecodeRuneInString(s[i:])
			if r == utf8.RuneError && n == 1 {
				dst = append(dst, "\ufffd"...)
			} else {
				dst = append(dst, s[i:i+n]...)
			}
			i += n
			continue
		}
		switch {
		case c == '"' || c == '\\':
			dst = append(dst, '\\', c)
		case c >= ' ':
			dst = append(dst, c)
		case c == '\n':
			dst = append(dst, `\n`...)
		case c == '\r':
			dst = append(dst, `\r`...)
		case c == '\t':
			dst = append(dst, `\t`...)
		default:
			dst = append(dst, `\u00`...)
			dst = append(dst, hexDigits[c>>4], hexDigits[c&15])
		}
		i++
	}
	return dst
}

// appendDecimal appends v as a decimal string.
func appendDecimal(dst []byte, v int64, scale uint8) []byte {
	dst = append(dst, '"')
	dst = core.AppendDecimal(dst, v, scale)
	return append(dst, '"')
}

func appendKeyDecimal(dst []byte, key string, v int64, scale uint8) []byte {
	dst = append(dst, key...)
	return appendDecimal(dst, v, scale)
}

func appendKeyInt(dst []byte, key string, v int64) []byte {
	return strconv.AppendInt(append(dst, key...), v, 10)
}

func appendKeyUint(dst []byte, key string, v uint64) []byte {
	return strconv.AppendUint(append(dst, key...), v, 10)
}

func appendKeyBool(dst []byte, key string, v bool) []byte {
	return strconv.AppendBool(append(dst, key...), v)
}

func appendKeyString(dst []byte, key, v string) []byte {
	return AppendString(append(dst, key...), v)
}

// view reads b as a string without copying it. The string must not outlive b nor
// be kept: it is for look-ups.
func view(b []byte) string { return unsafe.String(unsafe.SliceData(b), len(b)) }

// AppendBool appends v.
func AppendBool(dst []byte, v bool) []byte { return strconv.AppendBool(dst, v) }

// AppendUint appends v as a number.
func AppendUint(dst []byte, v uint64) []byte { return strconv.AppendUint(dst, v, 10) }

// AppendNanos appends a time as a number.
func AppendNanos(dst []byte, t core.Nanos) []byte { return strconv.AppendInt(dst, int64(t), 10) }

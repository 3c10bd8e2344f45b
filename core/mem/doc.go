// Package mem tells the processor and the operating system about memory that is going
// to be used: lines to fetch before they are asked for, and large tables whose
// addresses should be cheap to translate. Both are advice: a program that leaves them
// out computes the same.
package mem

package journal

import (
	"fmt"

	"qcat/persist/vfs"
)

// survey is a log as its files have it: the segments that have a header, whole by
// their checksums and following on each other, and behind them at most files that
// never got one.
type survey struct {
	files   *files
	id      ID
	headers []header
	unused  []unused // behind them
}

// unused is a file without a header: the next segment, made ahead, or one whose
// first batch was never synced.
type unused struct {
	index uint64
	why   string
}

// take reads the headers of all segments.
func take(files *files, indexes []uint64) (*survey, error) {
	v := &survey{files: files}
	var s scanner
	for i, index := range indexes {
		file := fileName(files.name, index)
		if i > 0 && index != indexes[i-1]+1 {
			missing := fileName(files.name, indexes[i-1]+1)
			return nil, &DamageError{missing, 0, 0, "the segment is missing"}
		}
		why, err := v.readHeader(&s, file)
		if err != nil {
			return nil, err
		}
		switch {
		case why == "" && len(v.unused) > 0:
			return nil, &DamageError{fileName(files.name, v.unused[0].index), 0, s.header.first - 1, v.unused[0].why}
		case why == "" && s.header.index != index:
			return nil, &DamageError{file, 0, 0, fmt.Sprintf("the header is that of segment %d", s.header.index)}
		case why == "" && i > 0 && s.header.id != v.id:
			return nil, &DamageError{file, 0, 0, fmt.Sprintf("the segment belongs to log %s, not %s", s.header.id, v.id)}
		case why == "":
			v.id = s.header.id
			v.headers = append(v.headers, s.header)
		case i == 0:
			return nil, &DamageError{file, 0, 0, why}
		default:
			v.unused = append(v.unused, unused{index, why})
		}
	}
	return v, nil
}

func (v *survey) readHeader(s *scanner, file string) (why string, err error) {
	f, err := v.files.open(file)
	if err != nil {
		return "", err
	}
	defer f.Close()
	return s.open(f, file)
}

// scan reads segment i to the end of what is whole, calling step after each batch.
// It checks that it follows on prev, the one before it, and that prev is whole.
func (v *survey) scan(s *scanner, i int, step func()) (*segment, error) {
	prev := *s
	file := fileName(v.files.name, v.headers[i].index)
	f, err := v.files.open(file)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	why, err := s.open(f, file)
	if err != nil {
		return nil, err
	}
	if why != "" || s.header != v.headers[i] {
		return nil, &DamageError{file, 0, prev.seq, "the header has changed while the log was read"}
	}
	if i > 0 && s.header.first != prev.seq+1 {
		if prev.tear == "" {
			prev.tear = fmt.Sprintf("the records end, and those of the next segment begin at %d", s.header.first)
		}
		return nil, &DamageError{prev.file, prev.end, prev.seq, prev.tear}
	}
	if i > 0 && s.header.floor < prev.time {
		return nil, &DamageError{file, 0, prev.seq, "the segment's time lies before that of the last record"}
	}
	for {
		ok, err := s.next()
		if err != nil {
			return nil, err
		}
		if !ok {
			break
		}
		step()
	}
	seg := &segment{index: s.header.index, name: file, first: s.header.first, size: s.size}
	seg.last.Store(s.seq)
	seg.end.Store(s.end)
	seg.time.Store(int64(s.time))
	return seg, nil
}

// judge looks at what lies behind the last whole batch, which s has come to, in
// the last segment and in the files behind it. What is broken there is a torn end
// unless something behind proves that it had been synced.
func (v *survey) judge(s *scanner) ([]Cut, error) {
	var cuts []Cut
	f, err := v.files.open(s.file)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	s.reset(f)
	r, err := s.readRest(s.end, s.seed)
	if err != nil {
		return nil, err
	}
	why := s.tear
	if why == "" {
		why = "bytes behind the last batch"
	}
	if r.proof > s.seq {
		return nil, &DamageError{s.file, s.end, s.seq,
			fmt.Sprintf("%s; the batch at offset %d proves that record %d had been synced", why, r.at, r.proof)}
	}
	if r.dirty > s.end {
		cuts = append(cuts, Cut{s.file, s.end, r.dirty - s.end, s.seq, why})
	}
	for _, u := range v.unused {
		cut, err := v.judgeUnused(s, u)
		if err != nil {
			return nil, err
		}
		if cut.Bytes > 0 {
			cuts = append(cuts, cut)
		}
	}
	return cuts, nil
}

func (v *survey) judgeUnused(s *scanner, u unused) (Cut, error) {
	file := fileName(v.files.name, u.index)
	f, err := v.files.open(file)
	if err != nil {
		return Cut{}, err
	}
	defer f.Close()
	rest := scanner{window: window{buf: s.buf}, file: file}
	rest.reset(f)
	if rest.size, err = f.Size(); err != nil {
		return Cut{}, err
	}
	r, err := rest.readRest(0, s.seed)
	if err != nil {
		return Cut{}, err
	}
	if r.proof > s.seq {
		return Cut{}, &DamageError{file, 0, s.seq,
			fmt.Sprintf("%s; the batch at offset %d proves that record %d had been synced", u.why, r.at, r.proof)}
	}
	return Cut{file, 0, r.dirty, s.seq, u.why}, nil
}

// recover reads the log, cuts its torn end, and returns where it goes on.
func (l *Log) recover(indexes []uint64) (*tail, error) {
	v, err := take(&l.files, indexes)
	if err != nil {
		return nil, err
	}
	l.id, l.table = v.id, &table{}
	var s scanner
	p := progress{report: l.o.Progress, Progress: Progress{Segments: len(v.headers)}}
	if err := p.measure(v); err != nil {
		return nil, err
	}
	for i := range v.headers {
		p.begin(i)
		seg, err := v.scan(&s, i, func() { p.step(&s) })
		if err != nil {
			return nil, err
		}
		l.table.add(seg)
		l.opened.Bytes += s.end
		p.finish(&s)
	}
	if l.opened.Cuts, err = v.judge(&s); err != nil {
		return nil, err
	}
	l.opened.First, l.opened.Last, l.opened.Segments = v.headers[0].first, s.seq, len(v.headers)
	return l.settle(v, &s)
}

// settle removes what was cut and makes sure of what was kept.
func (l *Log) settle(v *survey, s *scanner) (*tail, error) {
	for i := len(v.unused) - 1; i >= 0; i-- {
		if err := l.files.remove(fileName(l.o.Name, v.unused[i].index)); err != nil {
			return nil, err
		}
	}
	f, err := l.files.openToWrite(s.file)
	if err != nil {
		return nil, err
	}
	if err := l.mend(f, s); err != nil {
		f.Close()
		return nil, err
	}
	return &tail{file: f, seg: l.table.newest(), seq: s.seq, time: s.time, marked: s.closed}, nil
}

// mend zeroes what was cut, so that no later start sees it, and writes again what
// no later batch proves to be synced: if a sync of it has failed before the
// process ended, the system believes it to be on the disk, and to sync it once more
// would do nothing.
func (l *Log) mend(f vfs.File, s *scanner) error {
	if cuts := l.opened.Cuts; len(cuts) > 0 && cuts[0].File == s.file {
		if err := writeZeros(f, cuts[0].Offset, cuts[0].Bytes); err != nil {
			return err
		}
	}
	s.reset(f)
	for at := s.proven; at < s.end; {
		n := min(s.end-at, windowBytes)
		b, err := s.view(at, int(n), s.end)
		if err != nil {
			return err
		}
		if _, err := f.WriteAt(b, at); err != nil {
			return err
		}
		at += n
	}
	return f.Datasync()
}

// progressEvery is how many bytes are read between two reports.
const progressEvery = 4 << 20

// progress reports how far a recovery has come.
type progress struct {
	Progress
	report func(Progress)
	before int64 // bytes of the segments that are done
	told   int64
	sizes  []int64
}

func (p *progress) measure(v *survey) error {
	for _, h := range v.headers {
		n, err := v.files.fs.Stat(v.files.path(fileName(v.files.name, h.index)))
		if err != nil {
			return err
		}
		p.sizes = append(p.sizes, n)
		p.Total += n
	}
	return nil
}

func (p *progress) begin(i int) {
	p.Segment = i + 1
	p.report(p.Progress)
}

func (p *progress) step(s *scanner) {
	if p.Bytes, p.Seq = p.before+s.end, s.seq; p.Bytes-p.told >= progressEvery {
		p.told = p.Bytes
		p.report(p.Progress)
	}
}

func (p *progress) finish(s *scanner) {
	p.before += p.sizes[p.Segment-1]
	p.Bytes, p.Seq = p.before, s.seq
	p.told = p.Bytes
	p.report(p.Progress)
}

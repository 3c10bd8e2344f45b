package rest

import (
	"github.com/valyala/fasthttp"
	"go.uber.org/zap"

	"qcat/api/spec"
	"qcat/api/wire"
)

// swagger sends the page that shows the interface, the documents, and what their pages
// are made of.
func (s *Server) swagger(c exchange) {
	f, ok, err := spec.Open(c.tail)
	switch {
	case err != nil:
		s.undescribed(c, err)
		return
	case !ok:
		nothingAt(c)
		return
	}
	h := &c.Response.Header
	body := f.Body
	if f.Gzipped {
		h.Add(fasthttp.HeaderVary, fasthttp.HeaderAcceptEncoding)
		if c.Request.Header.HasAcceptEncoding("gzip") {
			h.Set(fasthttp.HeaderContentEncoding, "gzip")
		} else if body, err = f.Plain(); err != nil {
			s.undescribed(c, err)
			return
		}
	}
	h.Set(fasthttp.HeaderContentSecurityPolicy, spec.Policy)
	h.Set(fasthttp.HeaderXContentTypeOptions, "nosniff")
	h.Set(fasthttp.HeaderReferrerPolicy, "no-referrer")
	c.SetStatusCode(fasthttp.StatusOK)
	c.SetContentType(f.Type)
	c.Response.SetBodyRaw(body)
}

// undescribed answers that the interface cannot be shown.
func (s *Server) undescribed(c exchange, err error) {
	s.cfg.Log.Error("the interface cannot be shown", zap.Error(err))
	problem(c, &wire.Problem{Status: fasthttp.StatusInternalServerError, Code: codeInternal, Title: "Internal error", Detail: "the page could not be made"})
}

// nothingAt answers for a path that there is not, and says where those that there are stand.
func nothingAt(c exchange) {
	problem(c, &wire.Problem{
		Status: fasthttp.StatusNotFound, Code: wire.CodeNotFound, Title: "Not found",
		Detail: "there is nothing at " + string(c.Path()) + "; /swagger shows what there is",
	})
}

package compose

import (
	"encoding/json"
	"fmt"
	"os"
	"strings"
)

// readDockerfile takes from a Dockerfile's last stage how its image is run. What RUN and
// COPY do is done otherwise (build).
func readDockerfile(path string) (image, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return image{}, err
	}
	var im image
	joined := strings.ReplaceAll(withoutComments(string(text)), "\\\n", " ")
	for line := range strings.Lines(joined) {
		word, rest, _ := strings.Cut(strings.TrimSpace(line), " ")
		rest = strings.TrimSpace(rest)
		switch strings.ToUpper(word) {
		case "FROM":
			im = image{}
		case "ENTRYPOINT":
			err = json.Unmarshal([]byte(rest), &im.entrypoint)
		case "CMD":
			err = json.Unmarshal([]byte(rest), &im.cmd)
		case "ENV":
			im.env = append(im.env, strings.Fields(rest)...)
		case "USER":
			im.user = rest
		case "WORKDIR":
			im.dir = rest
		case "STOPSIGNAL":
			im.stop = rest
		}
		if err != nil {
			return image{}, fmt.Errorf("%s: %s is not in the exec form: %w", path, word, err)
		}
	}
	if len(im.entrypoint)+len(im.cmd) == 0 {
		return image{}, fmt.Errorf("%s: the last stage runs nothing", path)
	}
	return im, nil
}

func withoutComments(text string) string {
	var b strings.Builder
	for line := range strings.Lines(text) {
		if !strings.HasPrefix(strings.TrimSpace(line), "#") {
			b.WriteString(line)
		}
	}
	return b.String()
}

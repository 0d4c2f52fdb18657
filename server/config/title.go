package config

import (
	"strconv"
	"strings"
)

// ProcTitle fills proc-title-template in. configFile is empty when there is none.
func (v *Values) ProcTitle(title, configFile string) string {
	text, _ := v.expandTitle(v.ProcTitleTemplate, title, configFile)
	return text
}

func validProcTitle(template string) error {
	if text, ok := defaultTitle.expandTitle(template, "", ""); !ok || text == "" {
		return reason("template format is invalid or contains unknown variables")
	}
	return nil
}

// defaultTitle stands for a running server when a template is checked.
var defaultTitle = &Values{Port: 6379}

// expandTitle replaces {variables}; "{{" is a brace. It trims spaces.
func (v *Values) expandTitle(template, title, configFile string) (text string, ok bool) {
	var b strings.Builder
	for {
		before, rest, found := strings.Cut(template, "{")
		b.WriteString(before)
		if !found {
			return strings.Trim(b.String(), " "), true
		}
		if after, quoted := strings.CutPrefix(rest, "{"); quoted {
			b.WriteByte('{')
			template = after
			continue
		}
		name, after, closed := strings.Cut(rest, "}")
		value, known := v.titleVariable(name, title, configFile)
		if !closed || !known {
			return "", false
		}
		b.WriteString(value)
		template = after
	}
}

func (v *Values) titleVariable(name, title, configFile string) (value string, ok bool) {
	switch name {
	case "title":
		return title, true
	case "listen-addr":
		return v.listenAddr(), true
	case "server-mode":
		if v.ClusterEnabled {
			return "[cluster]", true
		}
		return "", true
	case "config-file":
		if configFile == "" {
			return "-", true
		}
		return configFile, true
	case "port":
		return strconv.Itoa(v.Port), true
	case "tls-port":
		return strconv.Itoa(v.TLS.Port), true
	case "unixsocket":
		return v.UnixSocket, true
	}
	return "", false
}

func (v *Values) listenAddr() string {
	port := v.Port
	if port == 0 {
		port = v.TLS.Port
	}
	if port == 0 {
		return "unixsocket:" + v.UnixSocket
	}
	host := "*"
	if len(v.Bind) > 0 {
		host = v.Bind[0]
	}
	return host + ":" + strconv.Itoa(port)
}

module held

go 1.26.0

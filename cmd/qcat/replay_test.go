package main

const capturesEnv = "QCAT_CAPTURES"

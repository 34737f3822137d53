# Rscript enaho.R FOLDER reads what enaho.py wrote into FOLDER and writes enaho.json here: aggregates only.
suppressMessages(library(survey)); options(survey.lonely.psu = "adjust"); at <- commandArgs(TRUE)[1]
num <- function(x) paste0("[", paste(sprintf("%.15g", as.numeric(x)), collapse = ", "), "]")
out <- character(0); put <- function(id, ...) { v <- list(...); out <<- c(out, sprintf(' "%s": {%s}', id, paste(sprintf('"%s": %s', names(v), sapply(v, num)), collapse = ", "))) }
d <- read.csv(file.path(at, "programmes.csv"), colClasses = c(conglome = "character")); d$size <- 1
D <- svydesign(id = ~conglome, strata = ~stratum, weights = ~factor07, nest = TRUE, data = d); A <- subset(D, !is.na(p710_04))
r <- svymean(~p710_04, A); put("juntos-share", est = coef(r), se = SE(r), degf = degf(D))
for (m in c("logit", "beta", "asin")) put(paste0("juntos-share-", m), ci = confint(svyciprop(~p710_04, A, method = m)))
r <- svytotal(~p710_04, A); put("juntos-households", est = coef(r), se = SE(r))
r <- svyby(~p710_04, ~dominio, A, svymean); put("juntos-by-domain", est = coef(r), se = SE(r))
r <- svymean(~p710_04, A, deff = TRUE); put("juntos-deff", est = deff(r))
s <- read.csv(file.path(at, "consumption.csv"), colClasses = c(conglome = "character", ubigeo = "character"))
S <- svydesign(id = ~conglome, strata = ~stratum, weights = ~persons, nest = TRUE, data = s); H <- svydesign(id = ~conglome, strata = ~stratum, weights = ~factor07, nest = TRUE, data = s)
r <- svymean(~poor, S); put("poor-share", est = coef(r), se = SE(r))
r <- svytotal(~poor, S); put("poor-persons", est = coef(r), se = SE(r))
r <- svyratio(~gashog2d, ~mieperho, H); put("consumption-per-head", est = coef(r), se = SE(r))
q <- svyquantile(~per_head_soles, S, c(.1, .25, .5, .75, .9), ci = TRUE, interval.type = "mean", qrule = "math")[[1]]; put("consumption-quantiles", est = q[, 1], low = q[, 2], high = q[, 3], se = q[, 4])
r <- svyby(~poor, ~region, S, svymean); put("poor-by-region", est = coef(r), se = SE(r))
writeLines(c("{", paste(out, collapse = ",\n"), "}"), "enaho.json")

# Rscript survey.R from this folder writes cases.json and replicates.csv: what R's survey says of the SIMULATED samples.
suppressMessages(library(survey)); options(digits = 17)
d <- read.csv("survey_stages.csv"); p <- read.csv("survey_pairs.csv")
d$b <- as.numeric(d$b); p$b <- as.numeric(p$b)
num <- function(x) paste0("[", paste(ifelse(is.finite(x), sprintf("%.15g", x), "null"), collapse = ", "), "]")
cases <- character(0)
add <- function(id, call, ...) { v <- list(...); cases <<- c(cases, sprintf(' {"id": "%s", "call": "%s",\n  %s}', id, gsub('"', "'", call), paste(sprintf('"%s": %s', names(v), sapply(v, function(z) num(as.numeric(z)))), collapse = ", "))) }
se_of <- function(r) list(est = coef(r), se = SE(r))
designs <- list(
 one = quote(svydesign(id = ~psu, strata = ~stratum, weights = ~w, nest = TRUE, data = d)),
 fpc = quote(svydesign(id = ~psu, strata = ~stratum, weights = ~w, fpc = ~psus, nest = TRUE, data = d)),
 two = quote(svydesign(id = ~psu + household, strata = ~stratum, weights = ~w, fpc = ~psus + households, nest = TRUE, data = d)))
for (rule in c("adjust", "certainty", "average")) for (name in names(designs)) { if (rule == "average" && name == "two") next
 options(survey.lonely.psu = rule); D <- eval(designs[[name]]); txt <- paste(deparse(designs[[name]]), collapse = " "); id <- paste(name, rule, sep = "-")
 put <- function(what, expr) { r <- eval(expr); add(paste(id, what, sep = "-"), paste(deparse(expr), collapse = " "), est = coef(r), se = if (is.data.frame(r)) SE(r) else as.numeric(SE(r))) }
 put("mean", quote(svymean(~y + x + b, D))); put("total", quote(svytotal(~y + x + b, D))); put("ratio", quote(svyratio(~y, ~x, D)))
 put("mean_by", quote(svyby(~y, ~area, D, svymean))); put("total_by", quote(svyby(~y, ~area, D, svytotal)))
 put("ratio_by", quote(svyby(~y, ~area, denominator = ~x, D, svyratio)))
 put("shares", quote(svymean(~area, D))); put("domain", quote(svymean(~y + b, subset(D, area == "jungle"))))
 add(paste0(id, "-degf"), "degf(D), degf(subset(D, area == 'jungle')), degf(subset(D, stratum < 4 & y > 2))", est = c(degf(D), degf(subset(D, area == "jungle")), degf(subset(D, stratum < 4 & y > 2)))) }
options(survey.lonely.psu = "adjust")
for (name in names(designs)) { D <- eval(designs[[name]])
 for (m in c("logit", "beta", "asin", "mean")) { r <- svyciprop(~b, D, method = m); add(paste(name, "ciprop", m, sep = "-"), paste0("svyciprop(~b, D, method = '", m, "')"), est = coef(r), ci = confint(r)) }
 for (y in c("y", "x", "heaped")) for (it in c("mean", "xlogit", "beta")) for (rule in c("math", "school")) {
  q <- svyquantile(as.formula(paste0("~", y)), D, c(.1, .25, .5, .75, .9), ci = TRUE, interval.type = it, qrule = rule)[[1]]
  add(paste(name, "quantile", y, it, rule, sep = "-"), paste0("svyquantile(~", y, ", D, c(.1, .25, .5, .75, .9), ci = TRUE, interval.type = '", it, "', qrule = '", rule, "')"), est = q[, 1], low = q[, 2], high = q[, 3], se = q[, 4]) }
 r <- svymean(~y + x + b, D, deff = TRUE); add(paste(name, "deff", sep = "-"), "svymean(~y + x + b, D, deff = TRUE)", est = deff(r))
 r <- svymean(~y + x + b, D, deff = "replace"); add(paste(name, "deff_replace", sep = "-"), "svymean(~y + x + b, D, deff = 'replace')", est = deff(r))
 r <- svytotal(~y + x + b, D, deff = TRUE); add(paste(name, "deff_total", sep = "-"), "svytotal(~y + x + b, D, deff = TRUE)", est = deff(r))
 r <- svyglm(y ~ x + area, design = D); add(paste(name, "glm", sep = "-"), "svyglm(y ~ x + area, design = D)", est = coef(r), se = SE(r))
 r <- svyglm(b ~ x, design = D, family = quasibinomial(), epsilon = 1e-14, maxit = 60); add(paste(name, "logit", sep = "-"), "svyglm(b ~ x, design = D, family = quasibinomial(), epsilon = 1e-14, maxit = 60)", est = coef(r), se = SE(r)) }
# replicate weights
P <- svydesign(id = ~psu, strata = ~stratum, weights = ~w, nest = TRUE, data = p); F1 <- svydesign(id = ~psu, strata = ~stratum, weights = ~w, fpc = ~psus, nest = TRUE, data = p)
U <- svydesign(id = ~interaction(stratum, psu), weights = ~w, data = p)
set.seed(11)
reps <- list(jkn = as.svrepdesign(P, type = "JKn", mse = FALSE), jkn_mse = as.svrepdesign(P, type = "JKn", mse = TRUE), jkn_fpc = as.svrepdesign(F1, type = "JKn", mse = TRUE), jk1 = as.svrepdesign(U, type = "JK1", mse = FALSE), jk1_mse = as.svrepdesign(U, type = "JK1", mse = TRUE),
 brr = as.svrepdesign(P, type = "BRR", mse = TRUE), fay = as.svrepdesign(P, type = "Fay", fay.rho = 0.3, mse = TRUE), fay_mean = as.svrepdesign(P, type = "Fay", fay.rho = 0.3, mse = FALSE), boot = as.svrepdesign(P, type = "subbootstrap", replicates = 30, mse = FALSE))
kept <- list()
for (name in names(reps)) { R <- reps[[name]]; r <- svymean(~y + x + b, R); add(paste("rep", name, "mean", sep = "-"), "svymean(~y + x + b, R)", est = coef(r), se = SE(r))
 r <- svytotal(~y + x + b, R); add(paste("rep", name, "total", sep = "-"), "svytotal(~y + x + b, R)", est = coef(r), se = SE(r))
 r <- svyratio(~y, ~x, R); add(paste("rep", name, "ratio", sep = "-"), "svyratio(~y, ~x, R)", est = coef(r), se = SE(r))
 r <- svyby(~y, ~area, R, svymean); add(paste("rep", name, "mean_by", sep = "-"), "svyby(~y, ~area, R, svymean)", est = coef(r), se = SE(r))
 add(paste("rep", name, "design", sep = "-"), "degf(R), R$scale, R$rscales", est = c(degf(R), R$scale), rscales = R$rscales)
 if (name %in% c("brr", "fay", "boot")) { W <- weights(R, type = "analysis"); colnames(W) <- paste0(name, seq_len(ncol(W))); kept[[name]] <- W } }
write.csv(signif(do.call(cbind, kept), 15), "replicates.csv", row.names = FALSE)
writeLines(c(sprintf('{"versions": "%s, survey %s",\n "cases": [', R.version.string, packageVersion("survey")), paste(cases, collapse = ",\n"), "]}"), "cases.json")

source("scripts/lib.R"); suppressMessages({library(did); library(DRDID); library(fixest)}); setFixest_nthreads(1); setFixest_notes(FALSE)
MP <- "../data/benchmarks/did/mpdta.csv"
csx <- function(r) { o <- list(group = vec(r$group), time = vec(r$t), att = vec(r$att), se = vec(r$se), n = r$n, wald_pretest = num(r$W), wald_pretest_p = num(r$Wpval))
  for (ty in c("simple", "group", "dynamic", "calendar")) { a <- tryCatch(aggte(r, type = ty, bstrap = FALSE, cband = FALSE, na.rm = TRUE), error = function(e) NULL); if (is.null(a)) next
    o[[paste0("agg_", ty)]] <- c(list(overall_att = a$overall.att, overall_se = a$overall.se), if (ty != "simple") list(egt = vec(a$egt), att = vec(a$att.egt), se = vec(a$se.egt))) }
  b <- tryCatch(aggte(r, type = "dynamic", balance_e = 1, bstrap = FALSE, cband = FALSE, na.rm = TRUE), error = function(e) NULL); if (!is.null(b)) o$agg_dynamic_balance_e1 <- list(overall_att = b$overall.att, overall_se = b$overall.se, egt = vec(b$egt), att = vec(b$att.egt), se = vec(b$se.egt))
  b <- tryCatch(aggte(r, type = "dynamic", min_e = -1, max_e = 1, bstrap = FALSE, cband = FALSE, na.rm = TRUE), error = function(e) NULL); if (!is.null(b)) o$agg_dynamic_min_m1_max_1 <- list(overall_att = b$overall.att, overall_se = b$overall.se)
  o }
cs <- function(data, tag, y, t, i, g, xf, est, cg, bp, ant = 0, w = NULL, cl = NULL, panel = TRUE, unb = FALSE, note = "") {
  c0 <- list(quote(att_gt), yname = y, tname = t, gname = g, xformla = str2lang(xf), data = quote(d), panel = panel, allow_unbalanced_panel = unb, control_group = cg, anticipation = ant, est_method = est, base_period = bp, bstrap = FALSE, cband = FALSE, faster_mode = FALSE)
  if (!is.null(i)) c0$idname <- i; if (!is.null(w)) c0$weightsname <- w; if (!is.null(cl)) c0$clustervars <- cl
for (em in c("dr", "ipw", "reg")) for (cg in c("nevertreated", "notyettreated")) { cs("did_bal", "bal", "y", "time", "id", "g", "~x1 + x2", em, cg, "varying"); cs("did_bal", "bal", "y", "time", "id", "g", "~1", em, cg, "universal", w = "w") }
cs("did_bal", "bal", "y", "time", "id", "g", "~x1 + x2", "dr", "nevertreated", "universal", w = "w"); cs("did_bal", "bal", "y", "time", "id", "g", "~x1 + I(x1^2) + x2", "dr", "nevertreated", "varying")
cs("did_bal", "bal", "y", "time", "id", "g", "~x1 + x2", "dr", "notyettreated", "varying", ant = 1, w = "w")
for (em in c("dr", "ipw", "reg")) for (cg in c("nevertreated", "notyettreated")) { cs("did_rc", "rc", "y", "time", NULL, "g", "~x1 + x2", em, cg, "varying", panel = FALSE, w = "w"); cs("did_rc", "rc", "y", "time", NULL, "g", "~1", em, cg, "universal", panel = FALSE) }
cs("did_rc", "rc", "y", "time", NULL, "g", "~x1 + x2", "dr", "nevertreated", "universal", panel = FALSE)
# --- two periods, two groups
dx <- function(r) list(att = num(r$ATT), se = num(r$se), lci = num(r$lci), uci = num(r$uci))
PX <- quote(cbind(1, as.matrix(d[, c("x1", "x2", "x3")])))
for (f in c("drdid_panel", "drdid_imp_panel", "reg_did_panel", "ipw_did_panel", "std_ipw_did_panel")) for (w in c(FALSE, TRUE)) add(paste(f, if (w) "w" else "u", sep = "-"), "did_2x2", "DRDID", f, paste0("panel, covariates x1 x2 x3 and constant", if (w) ", sampling weights w"), as.call(c(list(as.name(f), y1 = quote(d$y1), y0 = quote(d$y0), D = quote(d$d), covariates = PX), if (w) list(i.weights = quote(d$w)), list(boot = FALSE, inffunc = FALSE))), dx)
for (f in c("drdid_rc", "drdid_rc1", "drdid_imp_rc", "drdid_imp_rc1", "reg_did_rc", "ipw_did_rc", "std_ipw_did_rc")) for (w in c(FALSE, TRUE)) add(paste(f, if (w) "w" else "u", sep = "-"), "did_2x2", "DRDID", f, paste0("repeated cross-sections (y, post, d), covariates x1 x2 x3 and constant", if (w) ", sampling weights w", if (f %in% c("drdid_rc", "drdid_imp_rc")) "; locally efficient" else if (f %in% c("drdid_rc1", "drdid_imp_rc1")) "; not locally efficient"), as.call(c(list(as.name(f), y = quote(d$y), post = quote(d$post), D = quote(d$d), covariates = PX), if (w) list(i.weights = quote(d$w)), list(boot = FALSE, inffunc = FALSE))), dx)
add("drdid_panel-nocov", "did_2x2", "DRDID", "drdid_panel", "no covariates (equals the difference of mean changes)", quote(drdid_panel(y1 = d$y1, y0 = d$y0, D = d$d, covariates = NULL)), dx)
finish("did")

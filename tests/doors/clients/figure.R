# The figure as a statistician reads it in R: Rscript figure.R COMMAND BASE DATASET COLUMN NAME=VALUE…; prints JSON.
# json, odata: jsonlite over httr; csv: base R; sdmx: rsdmx, from the data structure alone.

suppressPackageStartupMessages({
  library(httr)
  library(jsonlite)
})
arguments <- commandArgs(trailingOnly = TRUE)
command <- arguments[1]; base <- arguments[2]; dataset <- arguments[3]; column <- arguments[4]
pairs <- strsplit(arguments[-(1:4)], "=", fixed = TRUE)
where <- setNames(lapply(pairs, `[`, 2), vapply(pairs, `[`, "", 1))
set <- gsub("[.-]", "_", dataset)
kept <- function(rows) Reduce(`&`, Map(function(name, value) as.character(rows[[name]]) == value, names(where), where))

json <- function() {
  answer <- GET(paste0(base, "/v1/datasets/", dataset, "/records"), query = c(where, limit = "1000"))
  stop_for_status(answer)
  fromJSON(content(answer, "text", encoding = "UTF-8"))$records$values[[column]]
}
odata <- function() {
  typed <- Map(function(name, value) if (name == "year") paste(name, "eq", value) else paste0(name, " eq '", value, "'"), names(where), where)
  answer <- GET(paste0(base, "/odata/v4/", set), query = list(`$filter` = paste(typed, collapse = " and ")))
  stop_for_status(answer)
  fromJSON(content(answer, "text", encoding = "UTF-8"))$value[[column]]
}
csv <- function() {
  rows <- read.csv(paste0(base, "/dataset/", dataset, ".csv"), colClasses = "character", fileEncoding = "UTF-8")
  as.numeric(rows[[column]][kept(rows)])
}
sdmx <- function() {
  suppressPackageStartupMessages(library(rsdmx))
  structure <- readSDMX(paste0(base, "/sdmx/2.1/datastructure/LIENTHONG/", set, "/latest?references=children"))
  dimensions <- structure@datastructures@datastructures[[1]]@Components@Dimensions
  names <- vapply(dimensions, function(each) each@conceptRef, "")
  by_name <- setNames(where, toupper(names(where)))
  key <- paste(vapply(names, function(name) if (is.null(by_name[[toupper(name)]])) "" else by_name[[toupper(name)]], ""), collapse = ".")
  period <- where[["year"]]
  rows <- as.data.frame(readSDMX(paste0(base, "/sdmx/2.1/data/", set, "/", key, "?startPeriod=", period, "&endPeriod=", period)))
  as.numeric(rows$obsValue)
}
cat(toJSON(switch(command, json = json(), odata = odata(), csv = csv(), sdmx = sdmx()), digits = NA))

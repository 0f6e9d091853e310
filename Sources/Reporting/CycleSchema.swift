// SPDX-License-Identifier: Apache-2.0
// The JSON Schema of `cycle.json`. Readers must ignore keys that they do not know: a later version may add some.

package enum CycleSchema {
    /// JSON Schema, draft 2020-12.
    package static let document = """
        {
          "$schema": "https://json-schema.org/draft/2020-12/schema",
          "title": "nightjar.cycle/1",
          "description": "The evidence document of one cycle. Times are RFC 3339 in UTC, durations seconds.",
          "type": "object",
          "required": ["schema", "loop", "cycle", "mode", "startedAt", "endedAt", "durationSeconds", "trigger",
            "revision", "verdict", "recommendation", "reasons", "value", "stages", "suites", "capabilities",
            "incidents", "experiments", "actions", "environment", "audit", "targets", "readiness", "writtenBy",
            "settingsHash"],
          "properties": {
            "schema": {"const": "nightjar.cycle/1"},
            "loop": {"type": "string"},
            "cycle": {"type": "integer", "minimum": 1},
            "mode": {"enum": ["observe", "verify", "operate"]},
            "startedAt": {"$ref": "#/$defs/time"},
            "endedAt": {"$ref": "#/$defs/time"},
            "durationSeconds": {"$ref": "#/$defs/seconds"},
            "trigger": {"enum": ["once", "schedule", "revision", "request", "again"]},
            "revision": {"type": "object", "required": ["wanted"], "properties": {
              "wanted": {"type": "string"}, "subject": {"type": "string"}, "author": {"type": "string"},
              "ref": {"type": "string"}, "live": {"type": "string"}, "previous": {"type": "string"},
              "lastGreen": {"type": "string"}}},
            "verdict": {"$ref": "#/$defs/verdict"},
            "recommendation": {"enum": ["ship", "hold"]},
            "reasons": {"type": "array", "items": {"$ref": "#/$defs/reason"}},
            "value": {"type": "object", "required": ["unit", "total", "protected", "atRisk"], "properties": {
              "unit": {"type": "string"}, "total": {"type": "number"}, "protected": {"type": "number"},
              "atRisk": {"type": "number"}, "conditional": {"type": "number"}}},
            "stages": {"type": "array", "items": {"type": "object",
              "required": ["stage", "attempt", "run", "outcome", "summary", "startedAt", "endedAt", "durationSeconds",
                "commands", "hosts", "logs"],
              "properties": {
                "stage": {"type": "string"}, "attempt": {"type": "integer", "minimum": 1},
                "command": {"type": "array", "items": {"type": "string"}}, "exit": {"type": "integer"},
                "resources": {"type": "object", "required": ["cpuSeconds", "peakMemoryBytes"]},
                "hosts": {"type": "array", "items": {"type": "string"}},
                "logs": {"type": "array", "items": {"type": "string"}},
                "outcome": {"enum": ["succeeded", "failed", "timedOut", "stopped", "couldNotRun", "refused", "neverRan",
                  "lost"]},
                "summary": {"type": "string"}, "limitHit": {"type": "string"},
                "startedAt": {"$ref": "#/$defs/time"}, "endedAt": {"$ref": "#/$defs/time"},
                "durationSeconds": {"$ref": "#/$defs/seconds"},
                "run": {"type": "object", "required": ["cycle", "kind", "purpose", "attempt", "revision"]},
                "commands": {"type": "array", "items": {"type": "object",
                  "required": ["role", "command", "startedAt", "durationSeconds"]}}}}},
            "suites": {"type": "array", "items": {"type": "object",
              "required": ["name", "priority", "blocking", "status", "totals", "notPassed"],
              "properties": {
                "name": {"type": "string"}, "priority": {"enum": ["P0", "P1", "P2", "P3"]},
                "blocking": {"type": "boolean"}, "value": {"type": "number"}, "status": {"$ref": "#/$defs/status"},
                "totals": {"$ref": "#/$defs/totals"}, "testsFile": {"type": "string"},
                "notPassed": {"type": "array", "items": {"$ref": "#/$defs/test"}},
                "authenticity": {"type": "object", "required": ["status", "reasons"], "properties": {
                  "status": {"enum": ["proven", "doubtful", "contradicted", "unobserved"]},
                  "reasons": {"type": "array", "items": {"$ref": "#/$defs/reason"}},
                  "baseline": {"type": "string"}}}}}},
            "capabilities": {"type": "array", "items": {"type": "object",
              "required": ["name", "suite", "status", "totals"], "properties": {
                "status": {"$ref": "#/$defs/status"}, "totals": {"$ref": "#/$defs/totals"}}}},
            "incidents": {"type": "array", "items": {"type": "object",
              "required": ["id", "signature", "title", "tests", "suites", "state", "firstSeen", "firstCycle", "timesSeen"],
              "properties": {
                "state": {"enum": ["open", "acknowledged", "resolved"]}, "firstSeen": {"$ref": "#/$defs/time"},
                "diagnosis": {"type": "object",
                  "required": ["category", "summary", "grade", "candidates", "recommendedAction", "whys", "ruledOut"],
                  "properties": {"grade": {"enum": ["proven", "likely", "possible", "unknown"]},
                    "whys": {"type": "array", "items": {"type": "object",
                      "required": ["n", "question", "answer", "confidence", "evidence"]}}}}}}},
            "experiments": {"type": "array", "items": {"type": "object",
              "required": ["experiment", "stages", "result", "refused"]}},
            "actions": {"type": "array", "items": {"type": "object", "required": ["kind", "outcome", "because"]}},
            "environment": {"type": "object", "required": ["services", "state"], "properties": {
              "serving": {"type": "string"}, "state": {"enum": ["asWanted", "restored", "unknown"]}}},
            "targets": {"type": "array", "items": {"$ref": "#/$defs/target"}},
            "audit": {"type": "array", "items": {"type": "object", "required": ["rule", "passed", "finding"],
              "properties": {"rule": {"type": "string"}, "passed": {"type": "boolean"}, "finding": {"type": "string"},
                "evidence": {"type": "string"}}}},
            "readiness": {"type": ["object", "null"]},
            "requests": {"type": "array", "items": {"type": "object", "required": ["at", "verb", "by"],
              "properties": {"at": {"$ref": "#/$defs/time"}, "verb": {"type": "string"}, "by": {"type": "string"},
                "uid": {"type": "integer", "minimum": 0}, "about": {"type": "string"}, "reason": {"type": "string"}, "answer": {"type": "string"}}}},
            "writtenBy": {"type": "string"},
            "settingsHash": {"type": "string"}
          },
          "$defs": {
            "time": {"type": "string", "pattern": "^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}[.][0-9]{3}Z$"},
            "seconds": {"type": "number", "minimum": 0},
            "verdict": {"enum": ["healthy", "degraded", "failing", "unproven", "interrupted"]},
            "status": {"enum": ["passed", "failed", "unproven", "notRun"]},
            "reason": {"type": "object", "required": ["rule", "verdict", "text"], "properties": {
              "rule": {"type": "string"}, "verdict": {"$ref": "#/$defs/verdict"}, "text": {"type": "string"},
              "subject": {"type": "string"}, "evidence": {"type": "string"}}},
            "target": {"type": "object", "required": ["name", "limit", "unit", "status"], "properties": {
              "name": {"type": "string"}, "limit": {"type": "number"}, "unit": {"type": "string"},
              "status": {"enum": ["met", "missed", "notMeasured"]}, "measured": {"type": "number"},
              "betterByPercent": {"type": "number"}, "samples": {"type": "integer", "minimum": 1},
              "percentile": {"type": "number"}, "values": {"type": "array", "maxItems": 1000, "items": {"type": "number"}},
              "isFloor": {"type": "boolean"}, "blocking": {"type": "boolean"}, "evidence": {"type": "string"},
              "because": {"type": "string"}, "source": {"type": "string"},
              "failedSamples": {"type": "integer", "minimum": 1}, "failure": {"type": "string"},
              "warmup": {"type": "integer", "minimum": 1},
              "interval": {"type": "object", "required": ["confidence"], "properties": {
                "low": {"type": "number"}, "high": {"type": "number"}, "confidence": {"type": "number"}}},
              "sinceGreen": {"type": "object", "required": ["finding", "cycle", "before"], "properties": {
                "finding": {"enum": ["worse", "better", "same", "unknown"]}, "cycle": {"type": "integer", "minimum": 1},
                "before": {"type": "number"}, "worseByPercent": {"type": "number"}, "probability": {"type": "number"},
                "superiority": {"type": "number"}, "test": {"type": "string"},
                "samplesBefore": {"type": "integer", "minimum": 1}, "because": {"type": "string"}}},
              "trend": {"type": "object", "required": ["cycles", "fromCycle", "slopePerCycle", "probability"],
                "properties": {"cycles": {"type": "integer", "minimum": 3}, "fromCycle": {"type": "integer", "minimum": 1},
                  "slopePerCycle": {"type": "number"}, "probability": {"type": "number"},
                  "cyclesToLimit": {"type": "integer", "minimum": 1}}}}},
            "totals": {"type": "object",
              "required": ["tests", "passed", "failed", "errored", "skipped", "timedOut", "flaky", "notRun"],
              "additionalProperties": {"type": "integer", "minimum": 0}},
            "test": {"type": "object", "required": ["id", "outcome"], "properties": {
              "id": {"type": "string"},
              "outcome": {"enum": ["passed", "failed", "errored", "skipped", "timedOut", "flaky", "notRun"]},
              "durationSeconds": {"$ref": "#/$defs/seconds"}}}
          }
        }

        """
}

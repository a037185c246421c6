using System.Globalization;
using System.Text.Json.Nodes;
using Cairn.Contracts.Workloads.Yaml;

namespace Cairn.Contracts.Workloads.Reading;

/// <summary>When a replica is ready: the fields of <c>service.readiness</c>, of SkyPilot's <c>readiness_probe</c> and of dstack's probes.</summary>
internal static class ReadinessFields
{
    private const int MaxTimeoutSeconds = 600;
    private const int MaxBodyLength = 64 << 10;

    public static readonly FieldTable<ServiceSpec> Table = new FieldTable<ServiceSpec>("readiness", "service.readiness.")
        .Field("path", (s, v) => s with { ReadinessPath = UrlPath(v) })
        .Field("body", (s, v) => s with { ReadinessBody = Body(v) })
        .Field("headers", (s, v) => s with { ReadinessHeaders = Headers(v) })
        .Field("timeout", (s, v) => s with { ReadinessTimeoutSeconds = Timeout(v) })
        .Field("start_within", (s, v) => s with { StartWithinSeconds = v.SomeSeconds() });

    public static readonly FieldTable<ServiceSpec> SkyPilotTable = new FieldTable<ServiceSpec>("readiness_probe", "readiness_probe.")
        .Sugar(Spelling.SkyPilot, "path", "service.readiness.path", (s, v) => s with { ReadinessPath = UrlPath(v) })
        .Sugar(Spelling.SkyPilot, "post_data", "service.readiness.body", (s, v) => s with { ReadinessBody = Body(v) })
        .Sugar(Spelling.SkyPilot, "headers", "service.readiness.headers", (s, v) => s with { ReadinessHeaders = Headers(v) })
        .Sugar(Spelling.SkyPilot, "timeout_seconds", "service.readiness.timeout", (s, v) => s with { ReadinessTimeoutSeconds = Timeout(v) })
        .Sugar(Spelling.SkyPilot, "initial_delay_seconds", "service.readiness.start_within", (s, v) => s with { StartWithinSeconds = v.SomeSeconds() });

    private static readonly FieldTable<ServiceSpec> s_dstack = new FieldTable<ServiceSpec>("a probe", "probes.")
        .Sugar(Spelling.Dstack, "type", "", (s, v) => v.Scalar == "http" ? s : Wrong(s, v, "http"))
        .Sugar(Spelling.Dstack, "url", "service.readiness.path", (s, v) => s with { ReadinessPath = UrlPath(v) })
        .Sugar(Spelling.Dstack, "body", "service.readiness.body", (s, v) => s with { ReadinessBody = Body(v) })
        .Sugar(Spelling.Dstack, "method", "", Method)
        .Sugar(Spelling.Dstack, "headers", "service.readiness.headers", (s, v) => s with { ReadinessHeaders = NamedHeaders(v) })
        .Sugar(Spelling.Dstack, "timeout", "service.readiness.timeout", (s, v) => s with { ReadinessTimeoutSeconds = Timeout(v) })
        .NotActedOn(Spelling.Dstack, "interval", "replicas are asked often while they start, and every few seconds after")
        .NotActedOn(Spelling.Dstack, "ready_after", "a replica is ready when it has answered once")
        .NotActedOn(Spelling.Dstack, "until_ready", "replicas are asked as long as they run");

    public static ServiceSpec Read(ServiceSpec service, FieldValue value) => value.Mapping is { } mapping
        ? Table.Read(value.Reader, mapping, service)
        : service with { ReadinessPath = UrlPath(value) };

    public static ServiceSpec ReadSkyPilot(ServiceSpec service, FieldValue value) => value.Mapping is { } mapping
        ? SkyPilotTable.Read(value.Reader, mapping, service)
        : service with { ReadinessPath = UrlPath(value) };

    /// <summary>The first of dstack's probes is when a replica is ready.</summary>
    public static WorkloadSpec ReadDstack(WorkloadSpec workload, FieldValue value)
    {
        var probes = value.Items();
        if (probes.Count == 0)
            return workload;
        if (probes[0].Mapping is not { } mapping)
        {
            probes[0].Expected("a probe such as {type: http, url: /health}");
            return workload;
        }

        if (probes.Count > 1)
            probes[1].NotActedOn("the first probe alone says when a replica is ready");
        return ServiceFields.Serving(workload, service => s_dstack.Read(value.Reader, mapping, service with { ReadinessPath = service.ReadinessPath ?? "/" }));
    }

    private static ServiceSpec Method(ServiceSpec service, FieldValue value)
    {
        switch (value.Scalar?.ToLowerInvariant())
        {
            case "get" when service.ReadinessBody is not null:
                value.NotActedOn("a probe with a body is sent with POST");
                return service;
            case "get":
                return service;
            case "post":
                return service with { ReadinessBody = service.ReadinessBody ?? "" };
            default:
                value.NotActedOn("replicas are asked with GET, or with POST where there is a body");
                return service;
        }
    }

    /// <summary>Text as it is; a mapping or a list as JSON.</summary>
    private static string Body(FieldValue value)
    {
        var text = value.Node is YamlScalar ? value.Text() : Json(value.Node)?.ToJsonString() ?? "null";
        if (text.Length > MaxBodyLength)
            value.Error(DiagnosticCodes.Limit, $"a body may have {MaxBodyLength:N0} characters");
        return text;
    }

    private static JsonNode? Json(YamlNode node)
    {
        switch (node)
        {
            case YamlMapping mapping:
                var members = new JsonObject();
                foreach (var (key, member) in mapping.Entries)
                    members[key.Text] = Json(member);
                return members;
            case YamlSequence list:
                return new JsonArray([.. list.Items.Select(Json)]);
            case YamlScalar { IsNull: true }:
                return null;
            case YamlScalar { IsPlain: true, Text: "true" or "True" or "false" or "False" } truth:
                return JsonValue.Create(truth.Text[0] is 't' or 'T');
            case YamlScalar { IsPlain: true } plain when long.TryParse(plain.Text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var whole):
                return JsonValue.Create(whole);
            case YamlScalar { IsPlain: true } plain when Numbers.TryParse(plain.Text, out var number):
                return JsonValue.Create(number);
            default:
                return JsonValue.Create(((YamlScalar)node).Text);
        }
    }

    private static IReadOnlyDictionary<string, string> Headers(FieldValue value)
    {
        var headers = Labels.Read(value, new SortedDictionary<string, string>(StringComparer.Ordinal));
        foreach (var name in headers.Keys)
            RequireToken(value, name);
        return headers;
    }

    private static SortedDictionary<string, string> NamedHeaders(FieldValue value)
    {
        var headers = new SortedDictionary<string, string>(StringComparer.Ordinal);
        foreach (var item in value.Items())
        {
            if (item.Mapping?.Find("name") is { } name && item.Mapping.Find("value") is { } content)
            {
                var word = item.Of(name.Value).Word("a header's name");
                RequireToken(item, word);
                headers[word] = item.Of(content.Value).Word("a header's value");
            }
            else
            {
                item.Expected("a header such as {name: X-Probe, value: cairn}");
            }
        }

        return headers;
    }

    /// <summary>RFC 9110, section 5.6.2.</summary>
    private static void RequireToken(FieldValue value, string name)
    {
        if (name.Length == 0 || !name.All(c => char.IsAsciiLetterOrDigit(c) || "!#$%&'*+-.^_`|~".Contains(c)))
            value.Error(DiagnosticCodes.InvalidValue, $"'{Excerpt.Of(name)}' cannot name a header");
    }

    private static long Timeout(FieldValue value)
    {
        var seconds = value.SomeSeconds();
        if (seconds <= MaxTimeoutSeconds)
            return seconds;
        value.Expected("a duration of at most 10m");
        return 1;
    }

    private static string UrlPath(FieldValue value)
    {
        var path = value.Word("a path such as /health");
        if (path.Length > 0 && (path[0] != '/' || path.Contains(' ')))
            value.Expected("a path that starts with '/', such as /health");
        return path;
    }

    private static ServiceSpec Wrong(ServiceSpec service, FieldValue value, string expected)
    {
        value.Expected(expected);
        return service;
    }
}

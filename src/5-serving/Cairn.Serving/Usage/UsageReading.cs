using Cairn.Contracts.Api;
using Cairn.Contracts.Ids;
using Cairn.Contracts.Units;
using Cairn.Serving.Gateway.Pools;
using Cairn.State;

namespace Cairn.Serving.Usage;

internal enum UsageGrouping
{
    Key,
    Model,
    Endpoint,
    Day,
}

/// <param name="Keys">Null takes all.</param>
/// <param name="Model">Null takes all.</param>
internal sealed record UsageQuery(ProjectId Project, DateTimeOffset Since, UsageGrouping By, IReadOnlyList<KeyId>? Keys, string? Model);

/// <summary>Reads usage as people ask for it.</summary>
internal sealed class UsageReading(Store store, GatewayState gateway)
{
    /// <summary>Keys of a project by id or name.</summary>
    public IReadOnlyList<KeyId> FindKeys(ProjectId project, string text) =>
        [.. gateway.Snapshot.Keys.Values.Where(k => k.Project == project && (k.Name == text || k.Id.ToString() == text)).Select(k => k.Id)];

    public async Task<UsageView> ReadAsync(UsageQuery query, CancellationToken cancellationToken)
    {
        var rows = await store.ReadAsync(session => Read(session, query), cancellationToken);
        var named = rows.Select(row => new UsageRow(NameOf(row, query.By), row.Requests, row.InputTokens, row.CachedTokens, row.OutputTokens, row.Cost));
        return new UsageView
        {
            Since = query.Since,
            By = query.By.ToString().ToLowerInvariant(),
            Rows = [.. query.By == UsageGrouping.Day ? named : named.OrderByDescending(r => r.Cost).ThenByDescending(r => r.InputTokens + r.OutputTokens)],
            Total = rows.Aggregate(Money.Zero, (sum, row) => sum + row.Cost),
        };
    }

    private static IReadOnlyList<GroupRow> Read(ReadSession session, UsageQuery query)
    {
        var column = query.By switch
        {
            UsageGrouping.Key => "u.key_id",
            UsageGrouping.Model => "u.model",
            UsageGrouping.Endpoint => "CASE WHEN u.provider <> '' THEN u.provider ELSE COALESCE(e.name, u.endpoint_id) END",
            _ => "CAST(u.hour / 24 AS TEXT)",
        };
        var keys = query.Keys is null ? "" : "AND u.key_id IN @Keys";
        return session.Query<GroupRow>(
            $"""
            SELECT {column} AS name, CAST(SUM(u.requests) AS BIGINT) AS requests, CAST(SUM(u.input_tokens) AS BIGINT) AS input_tokens,
                CAST(SUM(u.cached_tokens) AS BIGINT) AS cached_tokens, CAST(SUM(u.output_tokens) AS BIGINT) AS output_tokens, CAST(SUM(u.cost) AS BIGINT) AS cost
            FROM inference_usage u LEFT JOIN endpoints e ON e.id = u.endpoint_id
            WHERE u.project_id = @Project AND u.hour >= @since AND (@model = '' OR u.model = @model) {keys}
            GROUP BY {column} ORDER BY {column}
            """,
            query.Keys is { } some
                ? new { query.Project, since = UsageRows.HourOf(query.Since), model = query.Model ?? "", Keys = some }
                : new { query.Project, since = UsageRows.HourOf(query.Since), model = query.Model ?? "" });
    }

    private string NameOf(GroupRow row, UsageGrouping by) => by switch
    {
        UsageGrouping.Key => gateway.Snapshot.Keys.TryGetValue(TypedId.Parse<KeyId>(row.Name), out var key) ? key.Name : row.Name,
        UsageGrouping.Day => UsageRows.TimeOf(24 * long.Parse(row.Name, System.Globalization.CultureInfo.InvariantCulture))
            .ToString("yyyy-MM-dd", System.Globalization.CultureInfo.InvariantCulture),
        _ => row.Name,
    };

    private sealed record GroupRow
    {
        public string Name { get; init; } = "";

        public long Requests { get; init; }

        public long InputTokens { get; init; }

        public long CachedTokens { get; init; }

        public long OutputTokens { get; init; }

        public Money Cost { get; init; }
    }
}

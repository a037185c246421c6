using System.Globalization;
using Cairn.Contracts.Api;
using Cairn.Contracts.Ids;
using Cairn.Contracts.Units;
using Cairn.State;

namespace Cairn.Market.Bills;

/// <summary>Reads what the use of models was charged, for <see cref="BillReader"/>.</summary>
internal static class InferenceBill
{
    private const double Million = 1e6;

    /// <returns>Per group: what was charged, and what of it was written off.</returns>
    public static IReadOnlyList<(string Key, long Amount, long WrittenOff)> Sums(ReadSession session, ProjectId? project, long from, long to, BillGrouping by)
    {
        var column = by switch
        {
            BillGrouping.Job => "'model ' || model",
            BillGrouping.Project => "project_id",
            BillGrouping.Provider => "CASE WHEN provider <> '' THEN provider ELSE 'endpoints' END",
            _ => "CAST(day AS TEXT)",
        };
        return session.Query<(string, long, long)>(
            $"""
            SELECT {column}, CAST(SUM(amount) AS BIGINT), CAST(SUM(written_off) AS BIGINT) FROM inference_charges
            WHERE day >= @from AND day <= @to AND (@project = '' OR project_id = @project)
            GROUP BY {column} ORDER BY {column}
            """,
            new { from, to, project = project?.ToString() ?? "" });
    }

    /// <summary>A line per model and who answered; its price is what a million of its tokens cost on average, input and output together.</summary>
    public static IReadOnlyList<InvoiceLine> Lines(ReadSession session, ProjectId? project, long from, long to) =>
    [
        .. session.Query<LineRow>(
            """
            SELECT model, provider, CAST(SUM(requests) AS BIGINT) AS requests, CAST(SUM(input_tokens) AS BIGINT) AS input_tokens,
                CAST(SUM(output_tokens) AS BIGINT) AS output_tokens, CAST(SUM(amount) AS BIGINT) AS amount
            FROM inference_charges WHERE day >= @from AND day <= @to AND (@project = '' OR project_id = @project)
            GROUP BY model, provider ORDER BY model, provider
            """,
            new { from, to, project = project?.ToString() ?? "" }).Select(Line),
    ];

    private static InvoiceLine Line(LineRow row)
    {
        var tokens = row.InputTokens + row.OutputTokens;
        var what = string.Create(CultureInfo.InvariantCulture, $"{row.Model}: {row.Requests:N0} requests, {row.InputTokens:N0} tokens in, {row.OutputTokens:N0} out");
        return new InvoiceLine("inference", what, row.Provider.Length > 0 ? row.Provider : "endpoints", tokens / Million, "M tokens",
            tokens == 0 ? 0 : decimal.Round(row.Amount / (decimal)tokens, 6), new Money(row.Amount));
    }

    private sealed record LineRow
    {
        public string Model { get; init; } = "";

        public string Provider { get; init; } = "";

        public long Requests { get; init; }

        public long InputTokens { get; init; }

        public long OutputTokens { get; init; }

        public long Amount { get; init; }
    }
}

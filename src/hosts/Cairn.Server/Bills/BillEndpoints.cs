using System.Globalization;
using Cairn.Contracts.Api;
using Cairn.Contracts.Ids;
using Cairn.Contracts.Identity;
using Cairn.Contracts.Problems;
using Cairn.Contracts.Units;
using Cairn.Market.Bills;
using Cairn.Market.Funds;
using Cairn.Server.Identity;
using Cairn.Server.Problems;
using Cairn.State;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Routing;

namespace Cairn.Server.Bills;

/// <summary>What was spent, what is left, and the proof of the ledger, over REST.</summary>
internal static class BillEndpoints
{
    private static readonly Money s_mostGranted = Money.FromUsd(1_000_000_000);

    public static void MapBills(this IEndpointRouteBuilder routes)
    {
        var api = routes.MapGroup("/api/v1").WithTags("bills");
        api.MapGet("/bill", ReadBillAsync).Produces<BillView>();
        api.MapGet("/projects/{project}/balance", ReadBalanceAsync).Produces<BalanceView>();
        api.MapPost("/projects/{project}/credits", GrantAsync).Produces<BalanceView>();
        api.MapGet("/ledger/audit", async (Store store, CancellationToken cancellationToken) =>
        {
            var findings = await store.ReadAsync(BillReader.Audit, cancellationToken);
            return new AuditView(findings.Count == 0, findings);
        });
        api.MapGet("/jobs/{job}/invoice", InvoiceEndpoint.ReadAsync).Produces<InvoiceView>();
    }

    private static async Task<IResult> ReadBillAsync(
        HttpContext context, Store store, Keyring keyring, TimeProvider time, string? by, string? from, string? to, CancellationToken cancellationToken)
    {
        var today = DateOnly.FromDateTime(time.GetUtcNow().UtcDateTime);
        if (!Enum.TryParse<BillGrouping>(by ?? "job", ignoreCase: true, out var grouping) || int.TryParse(by, CultureInfo.InvariantCulture, out _))
            return Refuse($"by is '{by}'; expected job, project, provider or day.");
        if (ReadDay(from, new DateOnly(today.Year, today.Month, 1)) is not { } first || ReadDay(to, today) is not { } last)
            return Refuse($"from is '{from}' and to is '{to}'; expected days as YYYY-MM-DD.");
        if (first > last)
            return Refuse($"from ({first:yyyy-MM-dd}) is after to ({last:yyyy-MM-dd}).");

        // An admin who names no project sees all of them.
        var caller = context.Features.GetRequiredFeature<Caller>();
        ProjectId? project = caller.Role == Role.Admin && context.Request.Query["project"].Count == 0 ? null : caller.Project;
        var (rows, inference) = await store.ReadAsync(
            session => (BillReader.Read(session, project, first, last, grouping), BillReader.ReadInference(session, project, first, last)), cancellationToken);
        rows = await NameAsync(rows, grouping, store, keyring, cancellationToken);
        return Results.Ok(new BillView
        {
            From = new DateTimeOffset(first, TimeOnly.MinValue, TimeSpan.Zero),
            To = new DateTimeOffset(last, TimeOnly.MinValue, TimeSpan.Zero),
            By = grouping.ToString().ToLowerInvariant(),
            Rows = [.. rows.OrderByDescending(row => grouping == BillGrouping.Day ? Money.Zero : row.Total)],
            Inference = inference.Count > 0 ? inference : null,
            Total = rows.Aggregate(Money.Zero, (sum, row) => sum + row.Total),
        });
    }

    /// <summary>Ids become names.</summary>
    private static async Task<IReadOnlyList<BillRow>> NameAsync(
        IReadOnlyList<BillRow> rows, BillGrouping by, Store store, Keyring keyring, CancellationToken cancellationToken)
    {
        if (by == BillGrouping.Project)
            return [.. rows.Select(row => row with { Key = keyring.FindProject(TypedId.Parse<ProjectId>(row.Key))?.Name ?? row.Key })];
        if (by != BillGrouping.Job || rows.Count == 0)
            return rows;
        var names = await store.ReadAsync(
            session => rows.ToDictionary(row => row.Key, row => session.QuerySingleOrDefault<string>("SELECT name FROM jobs WHERE id = @Id", new { Id = row.Key })),
            cancellationToken);
        return [.. rows.Select(row => row with { Key = names[row.Key] ?? row.Key })];
    }

    private static async Task<IResult> ReadBalanceAsync(string project, HttpContext context, Store store, Keyring keyring, CancellationToken cancellationToken)
    {
        if (Find(project, context, keyring) is not { } found)
            return NoProject(project);
        return Results.Ok(await store.ReadAsync(session => BillReader.ReadBalance(session, found.Id, found.Name), cancellationToken));
    }

    private static async Task<IResult> GrantAsync(
        string project, GrantCreditsRequest request, HttpContext context, Store store, Keyring keyring, JobFunds funds, TimeProvider time,
        CancellationToken cancellationToken)
    {
        if (Find(project, context, keyring) is not { } found)
            return NoProject(project);
        if (request.Amount <= Money.Zero || request.Amount > s_mostGranted)
            return Refuse($"{request.Amount} cannot be granted; expected more than $0 and at most {s_mostGranted}.");
        if (request.Note is { Length: > 500 })
            return Refuse($"The note has {request.Note.Length} characters; expected at most 500.");

        // The caller's idempotency key names the grant in the ledger, so that a repeated request can never grant twice.
        var caller = context.Features.GetRequiredFeature<Caller>();
        var header = context.Request.Headers["Idempotency-Key"].ToString();
        var key = header.Length > 0 ? $"{caller.Key}/{header}" : Guid.CreateVersion7(time.GetUtcNow()).ToString();
        await store.WriteAsync(session => funds.Grant(session, key, found.Id, request.Amount, request.Note), cancellationToken);
        return Results.Ok(await store.ReadAsync(session => BillReader.ReadBalance(session, found.Id, found.Name), cancellationToken));
    }

    private static ProjectRow? Find(string name, HttpContext context, Keyring keyring) =>
        keyring.FindProject(name) is { } project && context.Features.GetRequiredFeature<Caller>().MayUse(project.Id) ? project : null;

    private static IResult NoProject(string name) => ProblemResponses.Result(404, new Problem(ProblemCodes.NotFound, $"There is no project '{name}' that this key may use."));

    private static IResult Refuse(string message) => ProblemResponses.Result(400, new Problem(ProblemCodes.InvalidRequest, message));

    private static DateOnly? ReadDay(string? text, DateOnly otherwise)
    {
        if (string.IsNullOrEmpty(text))
            return otherwise;
        return DateOnly.TryParseExact(text, "yyyy-MM-dd", CultureInfo.InvariantCulture, DateTimeStyles.None, out var day) ? day : null;
    }

    /// <param name="Ok">Whether the book proves.</param>
    /// <param name="Findings">What is wrong, in words that name the row.</param>
    private sealed record AuditView(bool Ok, IReadOnlyList<string> Findings);
}

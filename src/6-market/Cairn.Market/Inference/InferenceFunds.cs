using Cairn.Contracts.Ids;
using Cairn.Contracts.Units;
using Cairn.Market.Ledger;
using Cairn.State;

namespace Cairn.Market.Inference;

/// <summary>
/// Charges the use of models to the projects of the keys: from what a project has available to whoever answered, in the caller's own
/// write. What a project's credits do not cover is written off, for it was used already; the gateway lets nothing begin beyond what
/// <see cref="Available"/> says.
/// </summary>
public sealed class InferenceFunds
{
    /// <summary>Raised when what a project has available changed.</summary>
    public const string Signal = LedgerBook.Signal;

    private const long MicrosPerDay = 86_400_000_000;

    private readonly LedgerBook _book = new();

    /// <summary>What projects have available.</summary>
    /// <param name="session">Where to read.</param>
    /// <param name="projects">Null for all that ever had something; one that never had is left out.</param>
    public IReadOnlyDictionary<ProjectId, Money> Available(ReadSession session, IReadOnlyCollection<ProjectId>? projects)
    {
        ArgumentNullException.ThrowIfNull(session);
        return projects is null ? _book.AllAvailable(session) : projects.ToDictionary(project => project, project => _book.Balance(session, Account.Available(project)));
    }

    /// <summary>Charges a batch. The same batch again changes nothing.</summary>
    /// <param name="session">Where to write.</param>
    /// <param name="batch">Names the batch for good.</param>
    /// <param name="at">The day of the charges, UTC.</param>
    /// <param name="uses">Those that cost nothing are passed over.</param>
    public void Charge(WriteSession session, string batch, DateTimeOffset at, IReadOnlyCollection<InferenceUse> uses)
    {
        ArgumentNullException.ThrowIfNull(session);
        ArgumentNullException.ThrowIfNull(uses);
        foreach (var ofProject in uses.Where(use => use.Cost > Money.Zero).GroupBy(use => use.Project))
        {
            var lines = ofProject.ToList();
            var cost = lines.Aggregate(Money.Zero, (sum, use) => sum + use.Cost);
            var source = ChargeSource.For(cost, Money.Zero, _book.Balance(session, Account.Available(ofProject.Key)));
            var earned = lines.GroupBy(Earner).Select(part => (part.Key, part.Aggregate(Money.Zero, (sum, use) => sum + use.Cost))).ToList();
            if (_book.Post(session, [LedgerTransaction.Inference($"inference/{batch}/{ofProject.Key}", ofProject.Key, source, earned)]) == 1)
                WriteCharges(session, at, lines, source.WrittenOff);
        }
    }

    private static Account Earner(InferenceUse use) => use.Endpoint is { } endpoint ? Account.Served(endpoint) : Account.Earned(use.Provider ?? "unknown");

    private static void WriteCharges(WriteSession session, DateTimeOffset at, List<InferenceUse> lines, Money writtenOff)
    {
        // What nobody paid is noted at the last lines, which is where the money ran out.
        foreach (var use in Enumerable.Reverse(lines))
        {
            var unpaid = Money.Min(use.Cost, writtenOff);
            writtenOff -= unpaid;
            session.Execute(
                """
                INSERT INTO inference_charges (project_id, day, key_id, model, endpoint_id, provider, requests, input_tokens, output_tokens, amount, written_off)
                VALUES (@Project, @day, @Key, @Model, @endpoint, @provider, @Requests, @InputTokens, @OutputTokens, @Cost, @unpaid)
                ON CONFLICT (project_id, day, key_id, model, endpoint_id, provider) DO UPDATE SET requests = inference_charges.requests + @Requests,
                    input_tokens = inference_charges.input_tokens + @InputTokens, output_tokens = inference_charges.output_tokens + @OutputTokens,
                    amount = inference_charges.amount + @Cost, written_off = inference_charges.written_off + @unpaid
                """,
                new
                {
                    use.Project, day = Micros.Of(at) / MicrosPerDay, use.Key, use.Model, endpoint = use.Endpoint?.ToString() ?? "", provider = use.Provider ?? "",
                    use.Requests, use.InputTokens, use.OutputTokens, use.Cost, unpaid,
                });
        }
    }
}

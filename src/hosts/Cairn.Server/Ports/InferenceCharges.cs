using Cairn.Contracts.Ids;
using Cairn.Contracts.Units;
using Cairn.Market.Inference;
using Cairn.Serving.Gateway.Calls;
using Cairn.Serving.Usage;
using Cairn.State;

namespace Cairn.Server.Ports;

/// <summary>Serving's usage, charged by the market's ledger.</summary>
internal sealed class InferenceCharges(InferenceFunds funds) : IInferenceCharges
{
    public string FundsSignal => InferenceFunds.Signal;

    public IReadOnlyDictionary<ProjectId, Money> Available(ReadSession session, IReadOnlyCollection<ProjectId>? projects) => funds.Available(session, projects);

    public void Charge(WriteSession session, Guid batch, DateTimeOffset at, IReadOnlyCollection<KeyValuePair<UsageSubject, UsageSum>> usage) =>
        funds.Charge(session, batch.ToString(), at, [.. usage.Select(line => new InferenceUse
        {
            Project = line.Key.Project, Key = line.Key.Key, Model = line.Key.Model, Endpoint = line.Key.Endpoint, Provider = line.Key.Provider,
            Requests = line.Value.Requests, InputTokens = line.Value.InputTokens, OutputTokens = line.Value.OutputTokens, Cost = line.Value.Cost,
        })]);
}

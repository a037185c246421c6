using System.Security.Cryptography;
using Cairn.Serving.Gateway.Snapshots;
using Microsoft.Extensions.Logging;

namespace Cairn.Serving.Providers;

/// <summary>Seals a provider's credential for its row, and opens it.</summary>
internal sealed record CredentialSeal(Func<Guid, string, string> Seal, Func<Guid, string, string> Open);

/// <summary>All providers outside in memory, their credentials open; what the gateway's snapshot is made from.</summary>
internal sealed partial class ProviderBook(CredentialSeal seal, ILogger<ProviderBook> logger)
{
    private readonly Lock _lock = new();
    private Dictionary<Guid, (ProviderRow Row, string Credential)> _open = [];
    private long _version;

    /// <summary>Others are there than before.</summary>
    public event Action? Changed;

    /// <summary>Grows with every change; 0 until the rows were read.</summary>
    public long Version => Interlocked.Read(ref _version);

    public IReadOnlyList<ProviderRow> Rows
    {
        get
        {
            lock (_lock)
                return [.. _open.Values.Select(p => p.Row)];
        }
    }

    /// <summary>
    /// Takes over what the rows say now. The first time is a change even where there are none: from then on it is known that there are
    /// none.
    /// </summary>
    public void Renew(IReadOnlyList<ProviderRow> rows)
    {
        lock (_lock)
        {
            if (_version > 0 && rows.Count == _open.Count && rows.All(row => _open.ContainsKey(row.Id)))
                return;
            var open = new Dictionary<Guid, (ProviderRow, string)>();
            foreach (var row in rows)
            {
                if (_open.TryGetValue(row.Id, out var known) || TryOpen(row, out known))
                    open.Add(row.Id, known);
            }
            _open = open;
            Interlocked.Increment(ref _version);
        }
        Changed?.Invoke();
    }

    /// <summary>Each model of each provider with the target that it is.</summary>
    public IReadOnlyList<(ModelName Name, ProviderTarget Target, int ContextLength, DateTimeOffset Created)> Targets()
    {
        lock (_lock)
        {
            return
            [
                .. from provider in _open.Values
                   from model in provider.Row.Models.Value
                   select (new ModelName(provider.Row.ProjectId, model.Model), Target(provider.Row, provider.Credential, model), model.ContextLength, provider.Row.CreatedAt),
            ];
        }
    }

    private static ProviderTarget Target(ProviderRow row, string credential, Contracts.Api.ProviderModelView model) => new()
    {
        Name = row.Name,
        BaseUrl = new Uri(row.BaseUrl),
        Dialect = row.Dialect,
        Credential = credential,
        UpstreamModel = model.UpstreamModel ?? model.Model,
        Weight = model.Fallback ? 0 : model.Weight,
        Prices = ProviderRoutes.PricesOf(model),
    };

    /// <summary>A credential that cannot be opened leaves its provider out, and everything else as it is.</summary>
    private bool TryOpen(ProviderRow row, out (ProviderRow, string) opened)
    {
        try
        {
            opened = (row, row.Sealed is { } text ? seal.Open(row.Id, text) : "");
            return true;
        }
        catch (CryptographicException wrong)
        {
            LogSealed(logger, wrong, row.Name);
            opened = default;
            return false;
        }
    }

    [LoggerMessage(Level = LogLevel.Error, Message = "The credential of provider {Provider} cannot be opened: the server's key for secrets is another one. Add the provider again")]
    private static partial void LogSealed(ILogger logger, Exception error, string provider);
}

using System.Globalization;
using FhirStore.Sealed;

namespace Forecasting.NoShow;

/// <summary>Models by number; the latest is asked. Earlier ones are kept for a while, so that what was said then can be understood.</summary>
internal sealed class NoShowModels(SealedRecords<NoShowModel> stored, TimeProvider clock)
{
    public const string RecordType = "_NoShowModel";

    private const string LatestId = "latest";
    private const int Kept = 5;
    private static readonly TimeSpan LookEvery = TimeSpan.FromSeconds(30);

    private volatile Known? _known;

    private sealed record Known(NoShowModel? Model, long ReadAt);

    /// <summary>The latest model; another process's is seen after half a minute at most.</summary>
    public async ValueTask<NoShowModel?> LatestAsync(CancellationToken ct)
    {
        if (_known is { } known && clock.GetElapsedTime(known.ReadAt) < LookEvery)
        {
            return known.Model;
        }
        var readAt = clock.GetTimestamp();
        var model = (await stored.FindAsync(LatestId, ct))?.Value;
        _known = new(model, readAt);
        return model;
    }

    /// <returns>Whether it is the latest now; false where another process was first.</returns>
    public async Task<bool> TryPutAsync(NoShowModel model, CancellationToken ct)
    {
        var latest = await stored.FindAsync(LatestId, ct);
        if ((latest?.Value.Number ?? 0) >= model.Number || !await stored.TryWriteAsync(LatestId, model, latest?.Version ?? 0, null, ct))
        {
            return false;
        }
        await stored.TryWriteAsync(IdOf(model.Number), model, 0, null, ct);
        if (model.Number > Kept && await stored.FindAsync(IdOf(model.Number - Kept), ct) is { } old)
        {
            await stored.TryRemoveAsync(old.Id, old.Version, ct);
        }
        _known = null;
        return true;
    }

    private static string IdOf(int number) => number.ToString("'m'00000", CultureInfo.InvariantCulture);
}
